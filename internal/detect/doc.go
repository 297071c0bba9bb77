// Package detect finds what guardrails look for in texts, and takes it out,
// also where a text comes in pieces. It knows nothing of who is being guarded.
package detect
