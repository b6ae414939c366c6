"""Every question that is put to Weights & Biases, word for word.

A line that ends in `# may lack Type.field` holds what some servers do not know: it is left out for them.
"""

import re
from functools import cache

_OPTIONAL = re.compile(r"^.*# may lack (\w+)\.(\w+)\n", re.MULTILINE)

VIEWER = """
query WatersmeetViewer {
  viewer { id username entity teams { edges { node { name } } } }
  serverInfo {
    features { name isEnabled } # may lack ServerInfo.features
    latestLocalVersionInfo { versionOnThisInstanceString } # may lack ServerInfo.latestLocalVersionInfo
    cliVersionInfo
  }
}
"""

PROJECTS = """
query WatersmeetProjects($entity: String!, $first: Int!, $after: String) {
  entity(name: $entity) {
    id name isTeam
    organization { id name orgEntity { id name } } # may lack Entity.organization
  }
  models(entityName: $entity, first: $first, after: $after) {
    pageInfo { endCursor hasNextPage }
    edges { node { id name entityName description createdAt user { username } } }
  }
}
"""

PROJECT = """
query WatersmeetProject($entity: String!, $project: String!) {
  project(entityName: $entity, name: $project) { id name entityName description createdAt user { username } }
}
"""

UPDATED_FILTER = """
query WatersmeetUpdatedFilter($entity: String!, $project: String!, $filters: JSONString) {
  project(entityName: $entity, name: $project) { id future: runCount(filters: $filters) all: runCount }
}
"""

_ARTIFACT = """
  id
  versionIndex
  state
  size
  digest
  digestAlgorithm # may lack Artifact.digestAlgorithm
  commitHash
  fileCount
  createdAt
  updatedAt # may lack Artifact.updatedAt
  description
  metadata
  ttlDurationSeconds # may lack Artifact.ttlDurationSeconds
  historyStep # may lack Artifact.historyStep
  tags { name } # may lack Artifact.tags
  artifactType { name }
  artifactSequence { id name project { id name entityName } }
"""

_USED = """
  id
  state
  versionIndex
  artifactType { name }
  artifactSequence { id name project { id name entityName } }
"""

_RUN = """
  id name displayName state jobType group sweepName commit host tags notes description createdAt heartbeatAt config
  summaryMetrics
  updatedAt # may lack Run.updatedAt
  exitcode # may lack Run.exitcode
  github # may lack Run.github
  user { username }
  sweep { id } # may lack Run.sweep
  runInfo { program git { remote commit } } # may lack Run.runInfo
  project { id name entityName }
"""

_COLLECTION = """
  __typename
  id
  name
  description
  createdAt
  state # may lack ArtifactCollection.state
  updatedAt # may lack ArtifactCollection.updatedAt
  defaultArtifactType { name }
  tags { edges { node { name } } } # may lack ArtifactCollection.tags
  aliases(first: 1000) { pageInfo { endCursor hasNextPage } edges { node { alias artifact { id } } } }
"""

_SWEEP = "id name displayName method state description config createdAt updatedAt runCount"

PROJECT_PAGE = f"""
query WatersmeetProjectPage(
  $entity: String!, $project: String!, $first: Int!, $after: String, $filters: JSONString, $parts: Boolean!,
  $versions: Int!
) {{
  project(entityName: $entity, name: $project) {{
    id
    runCount(filters: $filters)
    runs(filters: $filters, order: "+created_at", first: $first, after: $after) {{
      pageInfo {{ endCursor hasNextPage }}
      edges {{ node {{
        ...RunParts
        inputArtifacts(first: 100) {{
          totalCount pageInfo {{ endCursor hasNextPage }} edges {{ usedAs node {{ ...UsedParts }} }}
        }}
        outputArtifacts(first: 100) {{
          totalCount pageInfo {{ endCursor hasNextPage }} edges {{ node {{ ...UsedParts }} }}
        }}
      }} }}
    }}
    sweeps(first: 50) @include(if: $parts) {{
      pageInfo {{ endCursor hasNextPage }} edges {{ node {{ {_SWEEP} }} }}
    }}
    artifactCollections(first: 100) @include(if: $parts) {{
      pageInfo {{ endCursor hasNextPage }}
      edges {{ node {{
        ...CollectionParts
        ... on ArtifactSequence {{
          artifacts(first: $versions, order: "-created_at") {{
            pageInfo {{ endCursor hasNextPage }} edges {{ node {{ ...ArtifactParts }} }}
          }}
        }}
        ... on ArtifactPortfolio {{
          artifactMemberships(first: 100) {{
            pageInfo {{ endCursor hasNextPage }} edges {{ node {{ id versionIndex createdAt artifact {{ id }} }} }}
          }}
        }}
      }} }}
    }}
  }}
}}
fragment RunParts on Run {{{_RUN}}}
fragment UsedParts on Artifact {{{_USED}}}
fragment CollectionParts on ArtifactCollection {{{_COLLECTION}}}
fragment ArtifactParts on Artifact {{{_ARTIFACT}}}
"""

SWEEPS = f"""
query WatersmeetSweeps($entity: String!, $project: String!, $first: Int!, $after: String) {{
  project(entityName: $entity, name: $project) {{
    id
    sweeps(first: $first, after: $after) {{
      pageInfo {{ endCursor hasNextPage }} edges {{ node {{ {_SWEEP} }} }}
    }}
  }}
}}
"""

COLLECTIONS = f"""
query WatersmeetCollections($entity: String!, $project: String!, $first: Int!, $after: String, $versions: Int!) {{
  project(entityName: $entity, name: $project) {{
    id
    artifactCollections(first: $first, after: $after) {{
      pageInfo {{ endCursor hasNextPage }}
      edges {{ node {{
        ...CollectionParts
        ... on ArtifactSequence {{
          artifacts(first: $versions, order: "-created_at") {{
            pageInfo {{ endCursor hasNextPage }} edges {{ node {{ ...ArtifactParts }} }}
          }}
        }}
        ... on ArtifactPortfolio {{
          artifactMemberships(first: 100) {{
            pageInfo {{ endCursor hasNextPage }} edges {{ node {{ id versionIndex createdAt artifact {{ id }} }} }}
          }}
        }}
      }} }}
    }}
  }}
}}
fragment CollectionParts on ArtifactCollection {{{_COLLECTION}}}
fragment ArtifactParts on Artifact {{{_ARTIFACT}}}
"""

ALIASES = """
query WatersmeetAliases($collection: ID!, $first: Int!, $after: String) {
  artifactCollection(id: $collection) {
    id
    aliases(first: $first, after: $after) {
      pageInfo { endCursor hasNextPage } edges { node { alias artifact { id } } }
    }
  }
}
"""

VERSIONS = f"""
query WatersmeetVersions($collection: ID!, $first: Int!, $after: String) {{
  artifactCollection(id: $collection) {{
    id
    artifacts(first: $first, after: $after, order: "-created_at") {{
      pageInfo {{ endCursor hasNextPage }} edges {{ node {{ ...ArtifactParts }} }}
    }}
  }}
}}
fragment ArtifactParts on Artifact {{{_ARTIFACT}}}
"""

MEMBERSHIPS = f"""
query WatersmeetMemberships($collection: ID!, $first: Int!, $after: String) {{
  artifactCollection(id: $collection) {{
    id
    artifactMemberships(first: $first, after: $after) {{
      pageInfo {{ endCursor hasNextPage }}
      edges {{ node {{ id versionIndex createdAt aliases {{ alias }} artifact {{ ...ArtifactParts }} }} }}
    }}
  }}
}}
fragment ArtifactParts on Artifact {{{_ARTIFACT}}}
"""

RUN_INPUTS = f"""
query WatersmeetRunInputs($entity: String!, $project: String!, $run: String!, $first: Int!, $after: String) {{
  project(entityName: $entity, name: $project) {{
    id
    run(name: $run) {{
      id
      inputArtifacts(first: $first, after: $after) {{
        totalCount pageInfo {{ endCursor hasNextPage }} edges {{ usedAs node {{ ...UsedParts }} }}
      }}
    }}
  }}
}}
fragment UsedParts on Artifact {{{_USED}}}
"""

RUN_OUTPUTS = f"""
query WatersmeetRunOutputs($entity: String!, $project: String!, $run: String!, $first: Int!, $after: String) {{
  project(entityName: $entity, name: $project) {{
    id
    run(name: $run) {{
      id
      outputArtifacts(first: $first, after: $after) {{
        totalCount pageInfo {{ endCursor hasNextPage }} edges {{ node {{ ...UsedParts }} }}
      }}
    }}
  }}
}}
fragment UsedParts on Artifact {{{_USED}}}
"""

RUN = """
query WatersmeetRun($entity: String!, $project: String!, $run: String!) {
  project(entityName: $entity, name: $project) { id run(name: $run) { id } }
}
"""

ARTIFACT = """
query WatersmeetArtifact($id: ID!) {
  artifact(id: $id) { id state }
}
"""

COLLECTION = """
query WatersmeetCollection($id: ID!) {
  artifactCollection(id: $id) { id }
}
"""

MANIFEST = """
query WatersmeetManifest($id: ID!) {
  artifact(id: $id) { id state currentManifest { id digest file { directUrl } } }
}
"""


@cache
def manifests(count: int) -> str:
    """The question where the manifests of so many versions lie: variables `id0`, `id1`…, answers `artifact0`…"""
    return _of_many("Manifests", count, "id state currentManifest { id digest file { directUrl } }")


@cache
def versions(count: int) -> str:
    """The question for so many versions by their ids, in the same way."""
    return _of_many("VersionsById", count, _ARTIFACT)


def _of_many(name: str, count: int, parts: str) -> str:
    variables = ", ".join(f"$id{at}: ID!" for at in range(count))
    all_of_them = " ".join(f"artifact{at}: artifact(id: $id{at}) {{ ...{name}Parts }}" for at in range(count))
    return f"query Watersmeet{name}({variables}) {{ {all_of_them} }}\nfragment {name}Parts on Artifact {{ {parts} }}\n"


USED_BY = """
query WatersmeetUsedBy($id: ID!, $first: Int!, $after: String) {
  artifact(id: $id) {
    id
    createdBy { __typename ... on Run { id name createdAt project { id name entityName } } }
    usedBy(first: $first, after: $after) {
      pageInfo { endCursor hasNextPage }
      edges { node { id name createdAt project { id name entityName } } }
    }
  }
}
"""

BESIDES = """
query WatersmeetBesides($entity: String!, $project: String!) {
  project(entityName: $entity, name: $project) {
    id
    allViews(viewType: "runs", first: 100) { edges { node { id displayName createdAt updatedAt user { username } } } }
    runQueues { id name runQueueItems(first: 100) { edges { node { id state associatedRunId createdAt } } } }
    triggers { id name description enabled createdAt updatedAt scope { __typename ... on ArtifactCollection { id } } triggeringCondition { ... on FilterEventTriggeringCondition { eventType } } triggeredAction { __typename } } # may lack Project.triggers
  }
}
"""  # noqa: E501  # what may be lacking stands in one line


def without(document: str, lacking: frozenset[tuple[str, str]]) -> str:
    """The document without what a server said it does not know."""
    return _OPTIONAL.sub(lambda found: "" if (found[1], found[2]) in lacking else found[0], document)


def optional(document: str) -> frozenset[tuple[str, str]]:
    """The types and fields that a server may lack and still be read."""
    return frozenset((found[1], found[2]) for found in _OPTIONAL.finditer(document))
