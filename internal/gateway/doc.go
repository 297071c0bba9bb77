// Package gateway is the door for programs that spend: OpenAI's wire format in
// front of the models that an account has. Every call is authorized, held on
// each budget of its path, sent upstream, and settled by what it used.
package gateway
