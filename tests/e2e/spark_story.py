"""A small Spark job whose listener tells what it reads and writes: CSV to parquet to totals. Argument: a folder."""

import sys
from pathlib import Path

from pyspark.sql import SparkSession

lake = Path(sys.argv[1])
spark = SparkSession.builder.appName("small_lake").getOrCreate()
orders = spark.read.csv(str(lake / "orders.csv"), header=True)
orders.write.mode("overwrite").parquet(str(lake / "bronze"))
spark.read.parquet(str(lake / "bronze")).createOrReplaceTempView("bronze")
totals = spark.sql("SELECT customer, sum(amount) AS total FROM bronze GROUP BY customer")
totals.write.mode("overwrite").parquet(str(lake / "totals"))
spark.stop()
