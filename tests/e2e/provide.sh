#!/usr/bin/env bash
# Installs the real servers and emitters that the end-to-end tests talk to, each into its own folder of .venvs/,
# and writes .venvs/real.env, which tells the tests where they are. What is there already is left alone.
#
#   bash tests/e2e/provide.sh              all of them
#   bash tests/e2e/provide.sh mlflow dbt   only these; the file then names only what is installed
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

HOME_OF_ALL="$PWD/.venvs"
PYTHON="${PYTHON:-python3}"
OPENLINEAGE_SPARK=1.53.0

# A folder counts as installed once its stamp holds what was asked for.
installed() { # folder, what is wanted
    [ -f "$1/.installed" ] && [ "$(cat "$1/.installed")" = "$2" ]
}

environment() { # name, requirement...
    local folder="$HOME_OF_ALL/$1" wanted
    shift
    wanted="$*"
    if installed "$folder" "$wanted"; then
        return
    fi
    echo "installing into ${folder##*/}: $wanted"
    rm -rf "$folder"
    if command -v uv >/dev/null 2>&1; then
        uv venv -q --python "$PYTHON" "$folder"
        uv pip install -q --python "$folder/bin/python" "$@"
    else
        "$PYTHON" -m venv "$folder"
        "$folder/bin/python" -m pip install -q --disable-pip-version-check "$@"
    fi
    echo "$wanted" >"$folder/.installed"
}

mlflow() {
    environment mlflow 'mlflow==3.17.2' 'graphene>=3.4' skops flask-wtf
}

dbt() {
    environment dbt 'dbt-core<1.12' dbt-duckdb openlineage-dbt
}

spark() {
    need java 'a Java runtime, 17 for example: apt-get install openjdk-17-jre-headless'
    need mvn 'Maven, which fetches the listener: apt-get install maven'
    environment spark 'pyspark>=3.5,<3.6'
    jars
}

need() { # command, what to install
    command -v "$1" >/dev/null 2>&1 || {
        echo "Spark needs $2" >&2
        exit 1
    }
}

# The listener alone: Spark brings everything that it uses.
jars() {
    local folder="$HOME_OF_ALL/spark/openlineage"
    if installed "$folder" "$OPENLINEAGE_SPARK"; then
        return
    fi
    echo "fetching openlineage-spark $OPENLINEAGE_SPARK"
    rm -rf "$folder"
    mkdir -p "$folder"
    cat >"$folder/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>watersmeet</groupId>
  <artifactId>listener</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>io.openlineage</groupId>
      <artifactId>openlineage-spark_2.12</artifactId>
      <version>$OPENLINEAGE_SPARK</version>
      <exclusions><exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion></exclusions>
    </dependency>
  </dependencies>
</project>
POM
    mvn -q -B -ntp -Dstyle.color=never -f "$folder/pom.xml" dependency:copy-dependencies -DoutputDirectory="$folder"
    echo "$OPENLINEAGE_SPARK" >"$folder/.installed"
}

say() { # variable, path that must exist
    if [ -e "$2" ]; then
        printf "export %s='%s'\n" "$1" "${2//\'/\'\\\'\'}"
    fi
}

locations() {
    say WATERSMEET_MLFLOW_PYTHON "$HOME_OF_ALL/mlflow/bin/python"
    say WATERSMEET_DBT_BIN "$HOME_OF_ALL/dbt/bin"
    say WATERSMEET_SPARK_PYTHON "$HOME_OF_ALL/spark/bin/python"
    local home
    for home in "$HOME_OF_ALL"/spark/lib/python3.*/site-packages/pyspark; do
        say WATERSMEET_SPARK_HOME "$home"
    done
    say WATERSMEET_SPARK_JARS "$HOME_OF_ALL/spark/openlineage/openlineage-spark_2.12-$OPENLINEAGE_SPARK.jar"
}

mkdir -p "$HOME_OF_ALL"
if [ $# -eq 0 ]; then
    set -- mlflow dbt spark
fi
for what in "$@"; do
    case "$what" in
    mlflow | dbt | spark) "$what" ;;
    *)
        echo "nothing is called $what here; there are mlflow, dbt and spark" >&2
        exit 2
        ;;
    esac
done
locations >"$HOME_OF_ALL/real.env"
echo "ready: . .venvs/real.env"
