"""The names that people and programs rely on: what is here stays, more may come."""

from typing import Any

import pytest
from graphql import DocumentNode, build_schema, parse, print_ast, print_type
from graphql.language import EnumTypeDefinitionNode, InputObjectTypeDefinitionNode, ObjectTypeDefinitionNode

from watersmeet.api.graphql import sdl

FIXED = """
type Query {
  asset(id: ID, key: String, source: String, asOf: DateTime): Asset
  search(text: String!, kinds: [AssetKind!], platforms: [String!], sources: [String!], tags: [String!],
    owners: [String!], first: Int! = 20, after: String): AssetConnection!
  lineage(root: ID!, direction: Direction! = BOTH, depth: Int! = 3, level: Level, asOf: DateTime, knownAt: DateTime,
    walk: Walk, kinds: [AssetKind!], platforms: [String!], first: Int! = 500, after: String): Lineage
  paths(from: ID!, to: ID!, level: Level, asOf: DateTime, knownAt: DateTime, walk: Walk, first: Int! = 10): PathList
  impact(root: ID!, depth: Int, level: Level, asOf: DateTime, knownAt: DateTime, walk: Walk, kinds: [AssetKind!],
    first: Int! = 100, after: String): Impact
  changes(ids: [ID!], from: DateTime, to: DateTime, first: Int! = 100, after: String): ChangeConnection!
  identity(id: ID!): Identity
  sources: [Source!]!
  syncs(source: String, first: Int! = 20, after: String): SyncConnection!
  gaps(first: Int! = 50, after: String): GapConnection!
  letters(first: Int! = 50, after: String): LetterConnection!
}
type Mutation { sync(source: String!, full: Boolean! = false): Sync! }
type Subscription { syncs: Sync! changes(ids: [ID!]!): Change! }
input Walk { edges: [EdgeKind!] roles: [Role!] evidence: [Evidence!] minConfidence: Float seenSince: DateTime }
type Asset {
  id: ID! kind: AssetKind! subtype: String name: String! description: String createdAt: DateTime updatedAt: DateTime
  tombstonedAt: DateTime run: Run platforms: [String!]! records: [Record!]! facets: JSON! owners: [Owner!]!
  tags: [Tag!]! keys: [String!]! aliases: [Alias!]!
  columns(first: Int! = 100, after: String): AssetConnection!
  runs(first: Int! = 20, after: String): AssetConnection!
  versions(first: Int! = 20, after: String): AssetConnection!
  upstream(depth: Int! = 3, first: Int! = 100): Lineage!
  downstream(depth: Int! = 3, first: Int! = 100): Lineage!
}
type Run { state: RunState! startedAt: DateTime endedAt: DateTime error: String job: ID }
type Record {
  source: String! platform: String! nativeId: String! url: String kind: AssetKind! name: String! seenAt: DateTime
  recordedAt: DateTime! facets: JSON!
}
type Alias { name: String! version: ID! validFrom: DateTime validTo: DateTime source: String! }
type Owner { name: String! role: String source: String! }
type Tag { key: String! value: String source: String! }
type Lineage {
  root: Asset! nodes: [LineageNode!]! edges: [LineageEdge!]! total: Int! totalEdges: Int! truncated: Boolean!
  pageInfo: PageInfo! completeness: Completeness! compact: JSON!
}
type LineageNode {
  id: ID! kind: AssetKind name: String! depth: Int! platforms: [String!]! restricted: Boolean! tombstonedAt: DateTime
  columnExact: Boolean! run: Run
}
type LineageEdge {
  upstream: ID! downstream: ID! kind: EdgeKind! role: Role evidence: Evidence! confidence: Float! sources: [String!]!
  via: [ID!]! runs: Int! outcome: RunState validFrom: DateTime validTo: DateTime lastSeenAt: DateTime
  transformation: String
}
type Impact {
  root: Asset! total: Int! counts: [KindCount!]! nodes: [LineageNode!]! truncated: Boolean! pageInfo: PageInfo!
  completeness: Completeness!
}
type KindCount { kind: AssetKind! depth: Int! count: Int! }
type PathList { paths: [Path!]! total: Int truncated: Boolean! completeness: Completeness! }
type Path { nodes: [LineageNode!]! edges: [LineageEdge!]! }
type Completeness {
  exact: Boolean! truncated: Boolean! hidden: Int! undated: Int! lowestConfidence: Float stale: [StaleSource!]!
  failures: [SyncFailure!]!
}
type StaleSource { source: String! since: DateTime reason: String! remedy: String! }
type SyncFailure { source: String! at: DateTime! what: String! remedy: String! }
type Source {
  name: String! platform: String! url: String status: SourceStatus! lastCompleteSync: DateTime nextSync: DateTime
  assets: Int! edges: Int! skipped: Int! missingGrants: [String!]!
}
type Sync {
  id: ID! source: String! state: SyncState! full: Boolean! startedAt: DateTime endedAt: DateTime complete: Boolean!
  read: Int! written: Int! removed: Int! skipped: Int! progress: Float message: String
}
type Change { seq: ID! at: DateTime! asset: ID! what: String! before: JSON after: JSON source: String! }
type Identity { id: ID! members: [Record!]! links: [Link!]! decisions: [Decision!]! }
type Link { left: ID! right: ID! rule: String! score: Float! evidence: [String!]! }
type Decision { id: ID! left: ID! right: ID! same: Boolean! by: String! at: DateTime! undoneAt: DateTime }
type Gap { asset: ID! what: String! remedy: String }
type PageInfo { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
type AssetConnection { edges: [AssetEdge!]! pageInfo: PageInfo! total: Int! }
type AssetEdge { node: Asset! cursor: String! }
type ChangeConnection { edges: [ChangeEdge!]! pageInfo: PageInfo! total: Int! }
type ChangeEdge { node: Change! cursor: String! }
type SyncConnection { edges: [SyncEdge!]! pageInfo: PageInfo! total: Int! }
type SyncEdge { node: Sync! cursor: String! }
type GapConnection { edges: [GapEdge!]! pageInfo: PageInfo! total: Int! }
type GapEdge { node: Gap! cursor: String! }
enum AssetKind {
  DATASET DATASET_VERSION COLUMN FEATURE_TABLE FEATURE JOB RUN EXPERIMENT MODEL MODEL_VERSION ARTIFACT PROMPT
  PROMPT_VERSION EVALUATION INDEX AGENT DEPLOYMENT DASHBOARD CODE OTHER
}
enum EdgeKind { READ WRITE DERIVE DEPLOY CHECK PART_OF VERSION_OF ALIAS_OF RUN_OF ORDER }
enum Evidence { OBSERVED DECLARED PARSED INFERRED STATED }
enum Role { TRAINING EVALUATION INFERENCE FEATURE PROMPT CODE REFERENCE }
enum RunState { QUEUED RUNNING SUCCEEDED FAILED ABORTED UNKNOWN }
enum SyncState { QUEUED RUNNING SUCCEEDED PARTIAL FAILED CANCELLED }
enum SourceStatus { NEVER_SYNCED OK SYNCING STALE DEGRADED REFUSED UNREACHABLE REMOVED }
enum Direction { UPSTREAM DOWNSTREAM BOTH }
enum Level { FINE ASSET COLUMN }
"""


def fields(document: DocumentNode) -> dict[str, dict[str, str]]:
    """Each field, argument or word of each type, by its name, in one spelling."""
    found: dict[str, dict[str, str]] = {}
    for definition in document.definitions:
        if isinstance(definition, ObjectTypeDefinitionNode):
            for field in definition.fields or ():
                said = found.setdefault(definition.name.value, {})
                said[field.name.value] = print_ast(field.type)
                for argument in field.arguments or ():
                    said[f"{field.name.value}({argument.name.value})"] = _given(argument)
        elif isinstance(definition, InputObjectTypeDefinitionNode):
            found[definition.name.value] = {field.name.value: _given(field) for field in definition.fields or ()}
        elif isinstance(definition, EnumTypeDefinitionNode):
            found[definition.name.value] = {value.name.value: "" for value in definition.values or ()}
    return found


def _given(argument: Any) -> str:
    default = f" = {print_ast(argument.default_value)}" if argument.default_value is not None else ""
    return print_ast(argument.type) + default


HAVE = fields(parse(sdl()))


@pytest.mark.parametrize(("kind", "members"), fields(parse(FIXED)).items())
def test_every_name_that_was_promised_is_there(kind: str, members: dict[str, str]):
    assert {name: HAVE[kind].get(name) for name in members} == members


def test_enums_hold_the_promised_words_only():
    for kind, members in fields(parse(FIXED)).items():
        if kind in {"AssetKind", "EdgeKind", "Evidence", "Role", "RunState", "SyncState", "Direction", "Level"}:
            assert HAVE[kind] == members


def test_what_comes_later_is_not_pretended_to_be_there():
    assert not {"rootCause", "lineageDiff", "suggestions"} & HAVE["Query"].keys()
    assert set(HAVE["Mutation"]) == {"sync", "sync(source)", "sync(full)"}


def test_the_schema_is_one_that_other_tools_can_build():
    schema = build_schema(sdl())
    assert "total: Int!" in print_type(schema.type_map["AssetConnection"])
