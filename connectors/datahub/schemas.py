"""The schemas of DataHub 1.7 in short: its types, their aspects, the classes behind them, what each must hold."""

TYPES = """
agentSkill agentSkillKey(id) agentSkillInfo dataPlatformInstance ownership status globalTags glossaryTerms
    semanticContent institutionalMemory domains structuredProperties versionProperties
aiAgent aiAgentKey(id) aiAgentInfo aiAgentDependencies dataPlatformInstance displayProperties ownership status
    structuredProperties upstreamLineage globalTags glossaryTerms semanticContent institutionalMemory domains
    incidentsSummary versionProperties
api apiKey(id) apiProperties apiSignature restApiProperties subTypes dataPlatformInstance ownership status
    globalTags glossaryTerms semanticContent institutionalMemory domains structuredProperties versionProperties
application applicationKey(id) applicationProperties applicationLineage ownership glossaryTerms globalTags domains
    institutionalMemory status structuredProperties forms testResults subTypes
assertion assertionKey(assertionId) assertionInfo assertionNote dataPlatformInstance assertionRunEvent
    assertionRunSummary assertionActions status globalTags ownership
businessAttribute businessAttributeKey(id) businessAttributeInfo status ownership institutionalMemory
chart chartKey(dashboardTool,chartId) chartInfo upstreamMetrics editableChartProperties chartQuery inputFields
    chartUsageStatistics embed browsePaths domains dataProducts applications container deprecation ownership status
    institutionalMemory dataPlatformInstance globalTags glossaryTerms browsePathsV2 subTypes structuredProperties
    incidentsSummary forms testResults documentation
container containerKey(guid) containerProperties editableContainerProperties dataPlatformInstance subTypes ownership
    deprecation container globalTags glossaryTerms institutionalMemory browsePaths status domains dataProducts
    applications browsePathsV2 structuredProperties forms testResults access documentation
corpGroup corpGroupKey(name) corpGroupInfo corpGroupEditableInfo globalTags ownership status origin roleMembership
    structuredProperties forms testResults subTypes
corpuser corpUserKey(username) corpUserInfo corpUserEditableInfo corpUserStatus groupMembership globalTags status
    corpUserCredentials nativeGroupMembership corpUserSettings origin roleMembership structuredProperties forms
    testResults subTypes slackUserInfo
dashboard dashboardKey(dashboardTool,dashboardId) domains dataProducts applications container deprecation
    dashboardUsageStatistics inputFields subTypes embed dashboardInfo upstreamMetrics editableDashboardProperties
    ownership status globalTags browsePaths glossaryTerms institutionalMemory dataPlatformInstance browsePathsV2
    structuredProperties incidentsSummary forms testResults documentation access
dataContract dataContractKey(id) dataContractProperties dataContractStatus status structuredProperties
dataFlow dataFlowKey(orchestrator,flowId,cluster) domains dataProducts applications deprecation versionInfo
    dataFlowInfo editableDataFlowProperties ownership status globalTags browsePaths glossaryTerms
    institutionalMemory dataPlatformInstance container browsePathsV2 structuredProperties incidentsSummary forms
    subTypes testResults documentation
dataHubAccessToken dataHubAccessTokenKey(id) dataHubAccessTokenInfo
dataHubAction dataHubActionKey(id)
dataHubConnection dataHubConnectionKey(id) dataHubConnectionDetails dataPlatformInstance
dataHubExecutionRequest dataHubExecutionRequestKey(id) dataHubExecutionRequestInput dataHubExecutionRequestSignal
    dataHubExecutionRequestResult
dataHubFile dataHubFileKey(id) dataHubFileInfo status
dataHubIngestionSource dataHubIngestionSourceKey(id) dataHubIngestionSourceInfo ownership
dataHubOpenAPISchema dataHubOpenAPISchemaKey(id) systemMetadata
dataHubPageModule dataHubPageModuleKey(id) dataHubPageModuleProperties
dataHubPageTemplate dataHubPageTemplateKey(id) dataHubPageTemplateProperties
dataHubPersona dataHubPersonaKey(id) dataHubPersonaInfo
dataHubPolicy dataHubPolicyKey(id) dataHubPolicyInfo
dataHubRetention dataHubRetentionKey(entityName,aspectName) dataHubRetentionConfig
dataHubRole dataHubRoleKey(id) dataHubRoleInfo
dataHubSecret dataHubSecretKey(id) dataHubSecretValue
dataHubStepState dataHubStepStateKey(id) dataHubStepStateProperties
dataHubUpgrade dataHubUpgradeKey(id) dataHubUpgradeRequest dataHubUpgradeResult
dataHubView dataHubViewKey(id) dataHubViewInfo
dataJob dataJobKey(flow,jobId) datahubIngestionRunSummary datahubIngestionCheckpoint domains dataProducts
    applications deprecation versionInfo dataJobInfo dataJobInputOutput editableDataJobProperties ownership status
    globalTags browsePaths glossaryTerms institutionalMemory dataPlatformInstance container browsePathsV2
    structuredProperties forms subTypes incidentsSummary testResults dataTransformLogic documentation
dataPlatform dataPlatformKey(platformName) dataPlatformInfo
dataPlatformInstance dataPlatformInstanceKey(platform,instance) dataPlatformInstanceProperties ownership globalTags
    institutionalMemory deprecation status icebergWarehouseInfo
dataProcess dataProcessKey(name,orchestrator,origin) dataProcessInfo ownership status testResults subTypes
dataProcessInstance dataProcessInstanceKey(id) dataProcessInstanceInput dataProcessInstanceOutput
    dataProcessInstanceProperties dataProcessInstanceRelationships dataProcessInstanceRunEvent status testResults
    dataPlatformInstance subTypes container mlTrainingRunProperties
dataProduct dataProductKey(id) ownership glossaryTerms globalTags domains applications dataProductProperties
    institutionalMemory deprecation status structuredProperties forms testResults subTypes assetSettings
dataType dataTypeKey(id) dataTypeInfo institutionalMemory status
dataset datasetKey(platform,name,origin) viewProperties semanticModelProperties subTypes datasetProfile
    datasetUsageStatistics usageFeatures storageFeatures operation domains dataProducts applications schemaMetadata
    status container deprecation testResults siblings embed incidentsSummary datasetProperties
    editableDatasetProperties datasetDeprecation datasetUpstreamLineage upstreamLineage upstreamMetrics
    institutionalMemory ownership editableSchemaMetadata globalTags glossaryTerms browsePaths dataPlatformInstance
    browsePathsV2 access structuredProperties forms partitionsSummary versionProperties icebergCatalogInfo
    logicalParent assetSettings documentation aliases
document documentKey(id) documentInfo documentSettings status ownership domains dataProducts structuredProperties
    subTypes dataPlatformInstance browsePathsV2 globalTags glossaryTerms semanticContent semanticText
    institutionalMemory documentation documentUsageStatistics
domain domainKey(id) domainProperties institutionalMemory ownership deprecation structuredProperties forms
    testResults displayProperties assetSettings
entityType entityTypeKey(id) entityTypeInfo institutionalMemory status
erModelRelationship erModelRelationshipKey(id) erModelRelationshipProperties editableERModelRelationshipProperties
    institutionalMemory ownership status globalTags glossaryTerms
form formKey(id) formInfo dynamicFormAssignment ownership
globalSettings globalSettingsKey(id) globalSettingsInfo
glossaryNode glossaryNodeKey(name) glossaryNodeInfo institutionalMemory ownership status structuredProperties forms
    testResults subTypes displayProperties assetSettings domains applications globalTags
glossaryTerm glossaryTermKey(name) glossaryTermInfo glossaryRelatedTerms institutionalMemory schemaMetadata
    ownership deprecation domains applications status browsePaths structuredProperties forms testResults subTypes
    displayProperties assetSettings globalTags
incident incidentKey(id) incidentInfo incidentExternalLinks incidentNotes globalTags
inviteToken inviteTokenKey(id) inviteToken
lifecycleStageType lifecycleStageTypeKey(id) lifecycleStageTypeInfo status
metric metricKey(platform,path,id) metricInfo metricRelationships metricUpstreams ownership domains globalTags
    glossaryTerms institutionalMemory structuredProperties status deprecation dataPlatformInstance subTypes
    documentation browsePathsV2 applications aiContext
mlFeature mlFeatureKey(featureNamespace,name) glossaryTerms editableMlFeatureProperties domains dataProducts
    applications mlFeatureProperties ownership institutionalMemory status deprecation browsePaths globalTags
    dataPlatformInstance browsePathsV2 structuredProperties forms testResults incidentsSummary subTypes
    documentation
mlFeatureTable mlFeatureTableKey(platform,name) glossaryTerms editableMlFeatureTableProperties domains dataProducts
    applications mlFeatureTableProperties ownership institutionalMemory status deprecation browsePaths globalTags
    dataPlatformInstance browsePathsV2 structuredProperties forms testResults incidentsSummary subTypes
    documentation
mlModel mlModelKey(platform,name,origin) glossaryTerms editableMlModelProperties domains dataProducts applications
    ownership mlModelProperties intendedUse mlModelFactorPrompts mlModelMetrics mlModelEvaluationData
    mlModelTrainingData mlModelQuantitativeAnalyses mlModelEthicalConsiderations mlModelCaveatsAndRecommendations
    institutionalMemory sourceCode status cost deprecation browsePaths globalTags dataPlatformInstance browsePathsV2
    structuredProperties forms testResults incidentsSummary versionProperties subTypes container documentation
mlModelDeployment mlModelDeploymentKey(platform,name,origin) mlModelDeploymentProperties ownership status
    deprecation globalTags dataPlatformInstance testResults container
mlModelGroup mlModelGroupKey(platform,name,origin) glossaryTerms editableMlModelGroupProperties domains dataProducts
    applications mlModelGroupProperties ownership status deprecation browsePaths globalTags dataPlatformInstance
    browsePathsV2 structuredProperties forms testResults subTypes container institutionalMemory documentation
mlPrimaryKey mlPrimaryKeyKey(featureNamespace,name) glossaryTerms editableMlPrimaryKeyProperties domains
    dataProducts applications mlPrimaryKeyProperties ownership institutionalMemory status deprecation globalTags
    dataPlatformInstance structuredProperties forms testResults subTypes
notebook notebookKey(notebookTool,notebookId) notebookInfo notebookContent editableNotebookProperties ownership
    status globalTags glossaryTerms browsePaths institutionalMemory domains dataProducts applications subTypes
    dataPlatformInstance browsePathsV2 testResults documentation
ownershipType ownershipTypeKey(id) ownershipTypeInfo status
platformResource platformResourceKey(id) dataPlatformInstance platformResourceInfo status
post postKey(id) postInfo subTypes
query queryKey(id) queryProperties querySubjects queryUsageStatistics status dataPlatformInstance subTypes
repository repositoryKey(id) repositoryProperties repositorySource repositoryLineage subTypes dataPlatformInstance
    ownership status globalTags glossaryTerms semanticContent domains institutionalMemory structuredProperties
    browsePathsV2
role roleKey(id) roleProperties actors
schemaField schemaFieldKey(parent,fieldPath) schemafieldInfo structuredProperties forms businessAttributes status
    schemaFieldAliases documentation testResults incidentsSummary deprecation subTypes logicalParent globalTags
    glossaryTerms semanticFieldAnnotation aiContext ownership domains
searchTemplate searchTemplateKey(id) searchTemplateProperties
semanticModel semanticModelKey(platform,path,id) semanticModelInfo upstreamLineage ownership domains globalTags
    glossaryTerms institutionalMemory structuredProperties status deprecation dataPlatformInstance subTypes
    documentation browsePathsV2 applications aiContext
service serviceKey(id) serviceProperties mcpServerProperties serviceDefinition incidentsSummary subTypes ownership
    status globalTags semanticContent dataPlatformInstance
structuredProperty structuredPropertyKey(id) propertyDefinition structuredPropertySettings institutionalMemory
    status
tag tagKey(name) tagProperties ownership deprecation status testResults
telemetry telemetryKey(name) telemetryClientId
test testKey(id) testInfo
versionSet versionSetKey(id,entityType) versionSetProperties
"""
"""A paragraph a type: its name, its key aspect with the parts of the key, its other aspects."""

CLASSES = """
com.linkedin.access.token DataHubAccessTokenInfo
com.linkedin.agent AIAgentDependencies AIAgentInfo
com.linkedin.agentskill AgentSkillInfo
com.linkedin.api ApiProperties ApiSignature RestApiProperties
com.linkedin.application ApplicationKey ApplicationLineage ApplicationProperties Applications
com.linkedin.assertion AssertionActions AssertionInfo AssertionNote AssertionRunEvent AssertionRunSummary
com.linkedin.businessattribute BusinessAttributeInfo BusinessAttributeKey BusinessAttributes
com.linkedin.chart ChartInfo ChartQuery ChartUsageStatistics EditableChartProperties
com.linkedin.common Access AiContext Aliases BrowsePaths BrowsePathsV2 Cost DataPlatformInstance DataTransformLogic
    Deprecation DisplayProperties Documentation Embed Forms GlobalTags GlossaryTerms IncidentsSummary InputFields
    InstitutionalMemory Operation Origin Ownership SemanticContent SemanticText Siblings Status SubTypes
    UpstreamMetrics VersionProperties
com.linkedin.connection DataHubConnectionDetails
com.linkedin.container Container ContainerProperties EditableContainerProperties
com.linkedin.dashboard DashboardInfo DashboardUsageStatistics EditableDashboardProperties
com.linkedin.datacontract DataContractProperties DataContractStatus
com.linkedin.datajob DataFlowInfo DataJobInfo DataJobInputOutput EditableDataFlowProperties
    EditableDataJobProperties VersionInfo
com.linkedin.datajob.datahub DatahubIngestionCheckpoint DatahubIngestionRunSummary
com.linkedin.dataplatform DataPlatformInfo
com.linkedin.dataplatform.slack SlackUserInfo
com.linkedin.dataplatforminstance DataPlatformInstanceProperties IcebergWarehouseInfo
com.linkedin.dataprocess DataProcessInfo DataProcessInstanceInput DataProcessInstanceOutput
    DataProcessInstanceProperties DataProcessInstanceRelationships DataProcessInstanceRunEvent
com.linkedin.dataproduct DataProductKey DataProductProperties DataProducts
com.linkedin.dataset DatasetDeprecation DatasetProfile DatasetProperties DatasetUpstreamLineage
    DatasetUsageStatistics EditableDatasetProperties IcebergCatalogInfo PartitionsSummary SemanticModelProperties
    UpstreamLineage ViewProperties
com.linkedin.datatype DataTypeInfo DataTypeKey
com.linkedin.domain DomainProperties Domains
com.linkedin.entitytype EntityTypeInfo EntityTypeKey
com.linkedin.ermodelrelation EditableERModelRelationshipProperties ERModelRelationshipProperties
com.linkedin.execution ExecutionRequestInput=dataHubExecutionRequestInput
    ExecutionRequestResult=dataHubExecutionRequestResult ExecutionRequestSignal=dataHubExecutionRequestSignal
com.linkedin.file DataHubFileInfo
com.linkedin.form DynamicFormAssignment FormInfo
com.linkedin.glossary GlossaryNodeInfo GlossaryRelatedTerms GlossaryTermInfo
com.linkedin.identity CorpGroupEditableInfo CorpGroupInfo CorpUserCredentials CorpUserEditableInfo CorpUserInfo
    CorpUserSettings CorpUserStatus GroupMembership InviteToken NativeGroupMembership RoleMembership
com.linkedin.incident IncidentExternalLinks IncidentInfo IncidentNotes
com.linkedin.ingestion DataHubIngestionSourceInfo
com.linkedin.knowledge DocumentInfo DocumentSettings DocumentUsageStatistics
com.linkedin.lifecycle LifecycleStageTypeInfo
com.linkedin.logical LogicalParent
com.linkedin.metadata.key AgentSkillKey AIAgentKey ApiKey AssertionKey ChartKey ContainerKey CorpGroupKey
    CorpUserKey DashboardKey DataContractKey DataFlowKey DataHubAccessTokenKey DataHubActionKey DataHubConnectionKey
    ExecutionRequestKey=dataHubExecutionRequestKey DataHubFileKey DataHubIngestionSourceKey DataHubOpenAPISchemaKey
    DataHubPageModuleKey DataHubPageTemplateKey DataHubPersonaKey DataHubPolicyKey DataHubRetentionKey
    DataHubRoleKey DataHubSecretKey DataHubStepStateKey DataHubUpgradeKey DataHubViewKey DataJobKey
    DataPlatformInstanceKey DataPlatformKey DataProcessInstanceKey DataProcessKey DatasetKey DocumentKey DomainKey
    ERModelRelationshipKey FormKey GlobalSettingsKey GlossaryNodeKey GlossaryTermKey IncidentKey InviteTokenKey
    LifecycleStageTypeKey MetricKey MLFeatureKey MLFeatureTableKey MLModelDeploymentKey MLModelGroupKey MLModelKey
    MLPrimaryKeyKey NotebookKey OwnershipTypeKey PostKey QueryKey RoleKey SchemaFieldKey SearchTemplateKey
    SemanticModelKey TagKey TelemetryKey TestKey VersionSetKey
com.linkedin.metadata.search.features StorageFeatures UsageFeatures
com.linkedin.metric MetricInfo MetricRelationships MetricUpstreams
com.linkedin.ml.metadata EditableMLFeatureProperties EditableMLFeatureTableProperties EditableMLModelGroupProperties
    EditableMLModelProperties EditableMLPrimaryKeyProperties IntendedUse MLFeatureProperties
    MLFeatureTableProperties CaveatsAndRecommendations=mlModelCaveatsAndRecommendations MLModelDeploymentProperties
    EthicalConsiderations=mlModelEthicalConsiderations EvaluationData=mlModelEvaluationData MLModelFactorPrompts
    MLModelGroupProperties Metrics=mlModelMetrics MLModelProperties QuantitativeAnalyses=mlModelQuantitativeAnalyses
    TrainingData=mlModelTrainingData MLPrimaryKeyProperties MLTrainingRunProperties SourceCode
com.linkedin.module DataHubPageModuleProperties
com.linkedin.mxe SystemMetadata
com.linkedin.notebook EditableNotebookProperties NotebookContent NotebookInfo
com.linkedin.ownership OwnershipTypeInfo
com.linkedin.persona DataHubPersonaInfo
com.linkedin.platformresource PlatformResourceInfo PlatformResourceKey
com.linkedin.policy DataHubPolicyInfo DataHubRoleInfo
com.linkedin.post PostInfo
com.linkedin.query QueryProperties QuerySubjects QueryUsageStatistics
com.linkedin.repository RepositoryKey RepositoryLineage RepositoryProperties RepositorySource
com.linkedin.retention DataHubRetentionConfig
com.linkedin.role Actors RoleProperties
com.linkedin.schema EditableSchemaMetadata SchemaMetadata
com.linkedin.schemafield SchemaFieldAliases SchemaFieldInfo
com.linkedin.search.template SearchTemplateProperties
com.linkedin.secret DataHubSecretValue
com.linkedin.semanticmodel SemanticFieldAnnotation SemanticModelInfo
com.linkedin.service McpServerProperties ServiceDefinition ServiceKey ServiceProperties
com.linkedin.settings.asset AssetSettings
com.linkedin.settings.global GlobalSettingsInfo
com.linkedin.step DataHubStepStateProperties
com.linkedin.structured StructuredPropertyDefinition=propertyDefinition StructuredProperties StructuredPropertyKey
    StructuredPropertySettings
com.linkedin.tag TagProperties
com.linkedin.telemetry TelemetryClientId
com.linkedin.template DataHubPageTemplateProperties
com.linkedin.test TestInfo TestResults
com.linkedin.upgrade DataHubUpgradeRequest DataHubUpgradeResult
com.linkedin.versionset VersionSetProperties
com.linkedin.view DataHubViewInfo
"""
"""A paragraph a namespace: its classes, with the aspect where that has another name."""

REQUIRED = """
agentSkillInfo:name aiAgentInfo:name,created,lastModified apiProperties:name applications:applications
assertionInfo:type assertionNote:content,lastModified
assertionRunEvent:timestampMillis,runId,asserteeUrn,status,assertionUrn browsePaths:paths browsePathsV2:path
businessAttributeInfo:fieldPath,name chartInfo:title,description,lastModified chartQuery:rawQuery,type
chartUsageStatistics:timestampMillis container:container containerProperties:name
corpGroupInfo:admins,members,groups corpUserCredentials:salt,hashedPassword corpUserInfo:active
corpUserSettings:appearance corpUserStatus:status,lastModified cost:costType,cost
dashboardInfo:title,description,lastModified dashboardUsageStatistics:timestampMillis dataContractProperties:entity
dataContractStatus:state dataFlowInfo:name dataHubAccessTokenInfo:name,actorUrn,ownerUrn,createdAt
dataHubConnectionDetails:type dataHubExecutionRequestInput:task,args,executorId,source,requestedAt
dataHubExecutionRequestResult:status dataHubExecutionRequestSignal:signal,createdAt
dataHubFileInfo:bucketStorageLocation,originalFileName,mimeType,sizeInBytes,scenario,created
dataHubIngestionSourceInfo:name,type,config
dataHubPageModuleProperties:name,type,visibility,params,created,lastModified
dataHubPageTemplateProperties:rows,surface,visibility,created,lastModified
dataHubPolicyInfo:displayName,description,type,state,privileges,actors dataHubRetentionConfig:retention
dataHubRoleInfo:name,description dataHubSecretValue:name,value dataHubStepStateProperties:lastModified
dataHubUpgradeRequest:timestampMs,version dataHubUpgradeResult:timestampMs
dataHubViewInfo:name,type,definition,created,lastModified dataJobInfo:name,type
dataJobInputOutput:inputDatasets,outputDatasets dataPlatformInfo:name,type,datasetNameDelimiter
dataPlatformInstance:platform dataProcessInstanceInput:inputs dataProcessInstanceOutput:outputs
dataProcessInstanceProperties:name,created dataProcessInstanceRelationships:upstreamInstances
dataProcessInstanceRunEvent:timestampMillis,status dataProducts:dataProducts dataTransformLogic:transforms
dataTypeInfo:qualifiedName
datahubIngestionCheckpoint:timestampMillis,pipelineName,platformInstanceId,config,state,runId
datahubIngestionRunSummary:timestampMillis,pipelineName,platformInstanceId,runId,runStatus
datasetDeprecation:deprecated,note datasetProfile:timestampMillis datasetUpstreamLineage:fieldMappings
datasetUsageStatistics:timestampMillis deprecation:deprecated,note,actor
documentInfo:status,contents,created,lastModified documentUsageStatistics:timestampMillis
documentation:documentations domainProperties:name domains:domains dynamicFormAssignment:filter
editableSchemaMetadata:editableSchemaFieldInfo entityTypeInfo:qualifiedName
erModelRelationshipProperties:name,source,destination,relationshipFieldMappings formInfo:name
forms:incompleteForms,completedForms globalTags:tags glossaryNodeInfo:definition
glossaryTermInfo:definition,termSource glossaryTerms:terms,auditStamp groupMembership:groups
icebergWarehouseInfo:dataRoot,clientId,clientSecret,region,env incidentInfo:type,entities,status,created
inputFields:fields institutionalMemory:elements inviteToken:token
lifecycleStageTypeInfo:name,settings,created,lastModified mcpServerProperties:url metricInfo:name
mlModelEvaluationData:evaluationData mlModelTrainingData:trainingData mlPrimaryKeyProperties:sources
nativeGroupMembership:nativeGroups notebookInfo:title,changeAuditStamps
operation:timestampMillis,operationType,lastUpdatedTimestamp origin:type ownership:owners
ownershipTypeInfo:name,created,lastModified platformResourceInfo:resourceType,primaryKey
postInfo:type,content,created,lastModified propertyDefinition:qualifiedName,valueType,entityTypes
queryProperties:statement,source,created,lastModified querySubjects:subjects queryUsageStatistics:timestampMillis
repositoryProperties:name restApiProperties:method,path roleMembership:roles roleProperties:name,type
schemaMetadata:schemaName,platform,version,hash,platformSchema,fields searchTemplateProperties:name
semanticContent:embeddings semanticFieldAnnotation:type,expression semanticModelInfo:name
semanticModelProperties:alias,semanticModel semanticText:text serviceDefinition:format,rawSpec
serviceProperties:displayName siblings:siblings,primary
slackUserInfo:slackInstance,id,name,realName,displayName,teamId,isDeleted,isAdmin,isOwner,isPrimaryOwner,isBot
sourceCode:sourceCode structuredProperties:properties subTypes:typeNames tagProperties:name
telemetryClientId:clientId testInfo:name,category,definition testResults:failing,passing upstreamLineage:upstreams
upstreamMetrics:metrics versionInfo:version,versionType versionProperties:versionSet,version,sortId
versionSetProperties:latest,versioningScheme viewProperties:materialized,viewLogic,viewLanguage
"""
"""The fields without which an aspect is refused."""

SERIES = frozenset(
    {
        "assertionRunEvent",
        "chartUsageStatistics",
        "dashboardUsageStatistics",
        "dataProcessInstanceRunEvent",
        "datahubIngestionCheckpoint",
        "datahubIngestionRunSummary",
        "datasetProfile",
        "datasetUsageStatistics",
        "documentUsageStatistics",
        "operation",
        "queryUsageStatistics",
    }
)
"""Aspects that are series of events in time."""

_FABRICS = """
DEV TEST QA UAT EI PRE STG NON_PROD PROD CORP RVW PRD TST SIT SBX SANDBOX CERT
"""
FABRICS = frozenset(_FABRICS.split())
"""The environments that a name may end in."""
