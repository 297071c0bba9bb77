package oauth

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// parameter says how long a parameter may be, in bytes, and which error tells
// of one that can't be right.
type parameter struct {
	most int
	code string
}

// parameters are those that have an error or a length of their own.
var parameters = map[string]parameter{
	"client_id":     {100, "invalid_client"},
	"client_secret": {500, "invalid_client"},
	"code":          {500, "invalid_grant"},
	"code_verifier": {500, "invalid_grant"},
	"refresh_token": {maxToken, "invalid_grant"},
	"scope":         {2000, "invalid_scope"},
	"subject_token": {32 << 10, "invalid_request"},
	"token":         {maxToken, "invalid_request"},
}

// wellFormed refuses text that no parameter can hold before anything is looked
// up by it: databases take neither NUL nor broken UTF-8.
func wellFormed(name, value string) error {
	p, known := parameters[name]
	if !known {
		p = parameter{2000, "invalid_request"}
	}
	switch {
	case len(value) > p.most:
		return refuse(p.code, "The parameter %.60q has more than %d bytes.", name, p.most)
	case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
		return refuse(p.code, "The parameter %.60q holds characters that it can't: it is text on one line, in UTF-8.", name)
	}
	return nil
}

// wellFormedAll is wellFormed for a form.
func wellFormedAll(form url.Values) error {
	for name, values := range form {
		for _, value := range values {
			if err := wellFormed(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}
