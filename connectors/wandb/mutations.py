"""Every change that the writer asks of Weights & Biases, and what it asks to know before, word for word."""

TARGET = """
query WatersmeetTarget($entity: String) {
  viewer { id username entity }
  entity(name: $entity) { id name readOnly organization { id orgEntity { id name } } }
}
"""

WRITTEN_PROJECTS = """
query WatersmeetWrittenProjects($entity: String!, $filters: JSONString, $first: Int!, $after: String) {
  models(entityName: $entity, first: $first, after: $after) {
    pageInfo { endCursor hasNextPage }
    edges { node { id name runCount(filters: $filters) } }
  }
}
"""

WRITTEN_RUNS = """
query WatersmeetWrittenRuns($entity: String!, $project: String!, $filters: JSONString, $first: Int!, $after: String) {
  project(entityName: $entity, name: $project) {
    id
    runs(filters: $filters, first: $first, after: $after, order: "+created_at") {
      pageInfo { endCursor hasNextPage }
      edges { node { name config outputArtifacts(first: 1000) { edges { node { id } } } } }
    }
  }
}
"""

_VERSION = """
fragment Version on Artifact { id versionIndex description metadata tags { name } }
"""

_SHELF = (
    """
fragment Shelf on ArtifactCollection {
  __typename id name defaultArtifactType { name }
  oldest: artifacts(first: 1, order: "+created_at") { pageInfo { hasNextPage } edges { node { ...Version } } }
  newest: artifacts(first: 1, order: "-created_at") { edges { node { ...Version } } }
}
"""
    + _VERSION
)

WRITTEN_COLLECTIONS = (
    """
query WatersmeetWrittenCollections($entity: String!, $project: String!, $first: Int!, $after: String) {
  project(entityName: $entity, name: $project) {
    id
    artifactCollections(first: $first, after: $after) {
      pageInfo { endCursor hasNextPage }
      edges { node { ...Shelf } }
    }
  }
}
"""
    + _SHELF
)

ONE_COLLECTION = (
    """
query WatersmeetOneCollection($entity: String!, $project: String!, $name: String!) {
  project(entityName: $entity, name: $project) { id artifactCollection(name: $name) { ...Shelf } }
}
"""
    + _SHELF
)

WRITTEN_VERSIONS = (
    """
query WatersmeetWrittenVersions($collection: ID!, $first: Int!, $after: String) {
  artifactCollection(id: $collection) {
    id
    artifacts(first: $first, after: $after) {
      pageInfo { endCursor hasNextPage }
      edges { node { ...Version } }
    }
  }
}
"""
    + _VERSION
)

ONE_RUN = """
query WatersmeetOneRun($entity: String!, $project: String!, $run: String!) {
  project(entityName: $entity, name: $project) { id run(name: $run) { id config } }
}
"""

ONE_PROJECT = """
query WatersmeetOneProject($entity: String!, $project: String!) {
  project(entityName: $entity, name: $project) { id }
}
"""

MEMBERSHIPS_OF = """
query WatersmeetMembershipsOf($artifact: ID!) {
  artifact(id: $artifact) {
    id
    artifactMemberships(first: 1000) {
      edges { node { id versionIndex artifactCollection { id name project { id name entityName } } } }
    }
  }
}
"""

UPSERT_PROJECT = """
mutation WatersmeetUpsertProject($input: UpsertModelInput!) {
  upsertModel(input: $input) { inserted project { id name } }
}
"""

UPSERT_RUN = """
mutation WatersmeetUpsertRun($input: UpsertBucketInput!) {
  upsertBucket(input: $input) { inserted bucket { id name } }
}
"""

CREATE_ARTIFACT = """
mutation WatersmeetCreateArtifact($input: CreateArtifactInput!) {
  createArtifact(input: $input) { artifact { id state versionIndex } }
}
"""

CREATE_MANIFEST = """
mutation WatersmeetCreateManifest($input: CreateArtifactManifestInput!) {
  createArtifactManifest(input: $input) { artifactManifest { id file { id uploadUrl uploadHeaders } } }
}
"""

CREATE_FILES = """
mutation WatersmeetCreateFiles($input: CreateArtifactFilesInput!) {
  createArtifactFiles(input: $input) { files { edges { node { id uploadUrl uploadHeaders } } } }
}
"""

COMMIT = """
mutation WatersmeetCommit($input: CommitArtifactInput!) {
  commitArtifact(input: $input) { artifact { id versionIndex } }
}
"""

UPDATE_ARTIFACT = """
mutation WatersmeetUpdateArtifact($input: UpdateArtifactInput!) {
  updateArtifact(input: $input) { artifact { id } }
}
"""

UPDATE_SEQUENCE = """
mutation WatersmeetUpdateSequence($input: UpdateArtifactSequenceInput!) {
  updateArtifactSequence(input: $input) { artifactCollection { id } }
}
"""

UPDATE_PORTFOLIO = """
mutation WatersmeetUpdatePortfolio($input: UpdateArtifactPortfolioInput!) {
  updateArtifactPortfolio(input: $input) { artifactCollection { id } }
}
"""

TAG_COLLECTION = """
mutation WatersmeetTagCollection($input: CreateArtifactCollectionTagAssignmentsInput!) {
  createArtifactCollectionTagAssignments(input: $input) { tags { id name } }
}
"""

USE_ARTIFACT = """
mutation WatersmeetUseArtifact($input: UseArtifactInput!) {
  useArtifact(input: $input) { artifact { id } }
}
"""

ADD_ALIASES = """
mutation WatersmeetAddAliases($input: AddAliasesInput!) {
  addAliases(input: $input) { success }
}
"""

LINK_ARTIFACT = """
mutation WatersmeetLinkArtifact($input: LinkArtifactInput!) {
  linkArtifact(input: $input) { versionIndex }
}
"""

DIGEST_OF = """
query WatersmeetDigestOf($artifact: ID!) {
  artifact(id: $artifact) { id digest }
}
"""
