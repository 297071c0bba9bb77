// Package composio speaks the public API of Composio, version 3: the tools of a
// toolkit, calls of them, and the accounts that people connect there.
package composio

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Base is where the API is, unless the operator says otherwise.
const Base = "https://backend.composio.dev"

const (
	// pageSize is how many tools are asked for at once.
	pageSize = 100
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 4 << 20
	// maxWords bounds what is handed on of an error's words, in bytes.
	maxWords = 500
)

// API is Composio as one project's key reaches it.
type API struct {
	// Client refuses closed networks and redirects: see outbound.NewClient.
	Client    *http.Client
	Base, Key string
}

// String keeps the key out of logs and errors.
func (a API) String() string { return "composio at " + a.Base }

// GoString is String for %#v.
func (a API) GoString() string { return a.String() }

// Refused is an answer that isn't what was asked for.
type Refused struct {
	Status int
	// Words are Composio's own, for whoever calls the tool; they may be empty.
	Words string
}

// Error implements error, without Composio's words.
func (r *Refused) Error() string { return fmt.Sprintf("composio: it answers %d", r.Status) }

// Why an answer can't be used.
var (
	// ErrTooLarge is an answer beyond what is taken.
	ErrTooLarge = errors.New("composio: the answer is too large")
	// ErrUnread is an answer that isn't the JSON it should be.
	ErrUnread = errors.New("composio: the answer can't be read")
)

// Tool is one that a toolkit has.
type Tool struct {
	Slug        string          `json:"slug"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Input       json.RawMessage `json:"input_parameters"`
	// Tags are hints among others: readOnlyHint, destructiveHint.
	Tags    []string `json:"tags"`
	Version string   `json:"version"`
	// Deprecated tools are left out by whoever lists.
	Deprecated bool `json:"is_deprecated"`
}

// Tools lists what a toolkit has, at most as many as most and one page more.
func (a API) Tools(ctx context.Context, toolkit string, most int) ([]Tool, error) {
	var out []Tool
	seen := map[string]bool{}
	for cursor := ""; ; {
		q := url.Values{"toolkit_slug": {toolkit}, "toolkit_versions": {"latest"}, "limit": {strconv.Itoa(pageSize)}}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		var page struct {
			Items []Tool `json:"items"`
			Next  string `json:"next_cursor"`
		}
		if err := a.ask(ctx, http.MethodGet, "/tools?"+q.Encode(), nil, &page); err != nil {
			return nil, err
		}
		out = append(out, page.Items...)
		if page.Next == "" || len(out) > most {
			return out, nil
		}
		if seen[page.Next] || len(page.Items) == 0 { // it would go in circles
			return nil, ErrUnread
		}
		seen[page.Next] = true
		cursor = page.Next
	}
}

// Execution is one call of a tool.
type Execution struct {
	// UserID is who calls, as Composio knows them; AccountID is the account that
	// it goes by, empty where the toolkit needs none.
	UserID    string          `json:"user_id"`
	AccountID string          `json:"connected_account_id,omitempty"`
	Version   string          `json:"version,omitempty"`
	Arguments json.RawMessage `json:"arguments"`
}

// Result is what came of a call.
type Result struct {
	Data       json.RawMessage `json:"data"`
	Successful bool            `json:"successful"`
	// Words tell why it wasn't; they may be empty.
	Words string `json:"-"`
}

// Execute calls a tool.
func (a API) Execute(ctx context.Context, slug string, e Execution) (Result, error) {
	var answer struct {
		Result
		Error json.RawMessage `json:"error"`
	}
	if err := a.ask(ctx, http.MethodPost, "/tools/execute/"+url.PathEscape(slug), e, &answer); err != nil {
		return Result{}, err
	}
	if !answer.Successful {
		answer.Words = wordsOf(answer.Error)
	}
	return answer.Result, nil
}

// Link is where a person connects an account.
type Link struct {
	AccountID string `json:"connected_account_id"`
	URL       string `json:"redirect_url"`
}

// Connect begins to connect an account for somebody; they are sent back to an
// address afterwards.
func (a API) Connect(ctx context.Context, authConfigID, userID, back string) (Link, error) {
	var l Link
	err := a.ask(ctx, http.MethodPost, "/connected_accounts/link",
		map[string]string{"auth_config_id": authConfigID, "user_id": userID, "callback_url": back}, &l)
	if err == nil && (l.AccountID == "" || len(l.AccountID) > 200 || l.URL == "") {
		err = ErrUnread
	}
	return l, err
}

// Account is one that somebody connected.
type Account struct {
	Status string `json:"status"`
	UserID string `json:"user_id"`
}

// Active tells whether calls may go by the account.
func (a Account) Active() bool { return strings.EqualFold(a.Status, "ACTIVE") }

// Account reads how an account stands.
func (a API) Account(ctx context.Context, accountID string) (Account, error) {
	var out Account
	return out, a.ask(ctx, http.MethodGet, "/connected_accounts/"+url.PathEscape(accountID), nil, &out)
}

func (a API) ask(ctx context.Context, method, path string, body, into any) error {
	var text io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		text = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(a.Base, "/")+"/api/v3"+path, text)
	if err != nil {
		return err
	}
	req.Header.Set("X-Api-Key", a.Key)
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := *a.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the key would go along
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return err
	case len(raw) > maxAnswer:
		return ErrTooLarge
	case res.StatusCode < 200 || res.StatusCode > 299:
		var told struct {
			Error   json.RawMessage `json:"error"`
			Message string          `json:"message"`
		}
		_ = json.Unmarshal(raw, &told) // what can't be read says nothing
		words := wordsOf(told.Error)
		if words == "" {
			words = clip(told.Message)
		}
		return &Refused{res.StatusCode, words}
	case json.Unmarshal(raw, into) != nil:
		return ErrUnread
	}
	return nil
}

// wordsOf reads an error that is a text, or an object with a message.
func wordsOf(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return clip(text)
	}
	var told struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(raw, &told)
	return clip(told.Message)
}

func clip(s string) string {
	s = strings.ToValidUTF8(s, "")
	for len(s) > maxWords {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	return s
}
