package gateway

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/alchemi/cockpit/internal/budget"
	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/guardrail"
)

// Codes of refusals that only the gateway has. On the wire they are lower case.
const (
	invalidRequest   fault.Code = "INVALID_REQUEST"
	requestTooLarge  fault.Code = "REQUEST_TOO_LARGE"
	unboundedRequest fault.Code = "UNBOUNDED_REQUEST"
	modelNotFound    fault.Code = "MODEL_NOT_FOUND"
	modelNotGranted  fault.Code = "MODEL_NOT_GRANTED"
	agentNotFound    fault.Code = "AGENT_NOT_FOUND"
	agentNotGranted  fault.Code = "AGENT_NOT_GRANTED"
	upstreamFailed   fault.Code = "UPSTREAM_FAILED"
	upstreamTimeout  fault.Code = "UPSTREAM_TIMEOUT"
)

// wire says with which status and type each code is sent; the official SDKs
// choose their exception by the status.
var wire = map[fault.Code]struct {
	status int
	kind   string
}{
	invalidRequest:        {http.StatusBadRequest, "invalid_request_error"},
	fault.BadInput:        {http.StatusBadRequest, "invalid_request_error"},
	fault.Invalid:         {http.StatusBadRequest, "invalid_request_error"},
	guardrail.Blocked:     {http.StatusBadRequest, "invalid_request_error"},
	unboundedRequest:      {http.StatusBadRequest, "invalid_request_error"},
	requestTooLarge:       {http.StatusRequestEntityTooLarge, "invalid_request_error"},
	fault.Unauthenticated: {http.StatusUnauthorized, "authentication_error"},
	fault.BudgetExceeded:  {http.StatusPaymentRequired, "insufficient_quota"},
	fault.BudgetFrozen:    {http.StatusPaymentRequired, "insufficient_quota"},
	modelNotGranted:       {http.StatusForbidden, "permission_error"},
	agentNotGranted:       {http.StatusForbidden, "permission_error"},
	agentNotFound:         {http.StatusNotFound, "invalid_request_error"},
	budget.SessionCredits: {http.StatusPaymentRequired, "insufficient_quota"},
	budget.SessionTurns:   {http.StatusTooManyRequests, "rate_limit_error"},
	fault.Forbidden:       {http.StatusForbidden, "permission_error"},
	modelNotFound:         {http.StatusNotFound, "invalid_request_error"},
	fault.NotFound:        {http.StatusNotFound, "invalid_request_error"},
	budget.KeyInUse:       {http.StatusConflict, "invalid_request_error"},
	budget.KeyUsed:        {http.StatusConflict, "invalid_request_error"},
	budget.KeyReused:      {http.StatusUnprocessableEntity, "invalid_request_error"},
	fault.Conflict:        {http.StatusConflict, "invalid_request_error"},
	fault.RateLimited:     {http.StatusTooManyRequests, "rate_limit_error"},
	upstreamFailed:        {http.StatusBadGateway, "api_error"},
	upstreamTimeout:       {http.StatusGatewayTimeout, "api_error"},
	fault.Unavailable:     {http.StatusServiceUnavailable, "api_error"},
}

// errorBody is OpenAI's error object, with what our refusals add to it.
func errorBody(e *fault.Error) (status int, body []byte) {
	w, known := wire[e.Code]
	if !known {
		w.status, w.kind = http.StatusInternalServerError, "api_error"
	}
	object := map[string]any{}
	for k, v := range e.Data {
		object[k] = v
	}
	object["message"], object["type"], object["code"], object["param"] = e.Message, w.kind, strings.ToLower(string(e.Code)), nil
	if e.Code == fault.Unauthenticated {
		object["code"] = "invalid_api_key" // OpenAI's word for it
	}
	if len(e.Path) > 0 {
		object["param"] = strings.Join(e.Path, ".")
	}
	body, err := json.Marshal(map[string]any{"error": object})
	if err != nil { // only a Data value that is no JSON can do that
		return http.StatusInternalServerError, []byte(`{"error":{"message":"Internal error.","type":"api_error","code":"internal","param":null}}`)
	}
	return w.status, body
}

// refuse answers with the error, in the shape that SDKs understand.
func refuse(w http.ResponseWriter, e *fault.Error) {
	status, body := errorBody(e)
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	// A refusal of ours stays one until something changes: the SDKs needn't
	// repeat it, save for a rate limit, which tells when.
	if e.Code != fault.RateLimited && status < http.StatusInternalServerError {
		h.Set("X-Should-Retry", "false")
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // fails only when the client has gone
}

func invalid(param, format string, args ...any) *fault.Error {
	e := fault.New(invalidRequest, format, args...)
	if param != "" {
		e.Path = []string{param}
	}
	return e
}
