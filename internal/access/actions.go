package access

// Action is what somebody may do at a node: noun and verb, as in
// policies/actions.json, which says who may.
type Action string

// The actions. Reading ones come first.
const (
	AuditRead   Action = "audit.read"
	BudgetWatch Action = "budget.watch"
	MemberList  Action = "member.list"

	BudgetSet    Action = "budget.set"
	BudgetRemove Action = "budget.remove"
	KeyCreate    Action = "key.create"
	KeyRevoke    Action = "key.revoke"

	ProviderCreate    Action = "provider.create"
	ProviderUpdate    Action = "provider.update"
	ProviderTest      Action = "provider.test"
	ModelCreate       Action = "model.create"
	ModelUpdate       Action = "model.update"
	ModelPricePublish Action = "modelPrice.publish"
	ModelInstall      Action = "model.install"
	ModelUninstall    Action = "model.uninstall"

	CentralProviderCreate Action = "centralProvider.create"
	CentralProviderUpdate Action = "centralProvider.update"
	CentralProviderTest   Action = "centralProvider.test"
	CatalogModelCreate    Action = "catalogModel.create"
	CatalogModelUpdate    Action = "catalogModel.update"
	CatalogPricePublish   Action = "catalogPrice.publish"
)
