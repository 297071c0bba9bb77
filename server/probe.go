package server

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/alchemi/cockpit/internal/fault"
	"github.com/alchemi/cockpit/internal/outbound"
)

// prober lists a provider's models with its key, through the same guarded
// client as model calls. What is wrong is told in the admin's words.
func prober(client *http.Client) func(ctx context.Context, base, apiKey string) ([]string, error) {
	return func(ctx context.Context, base, apiKey string) ([]string, error) {
		ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/models", nil)
		if err != nil {
			return nil, err
		}
		if apiKey != "" {
			req.Header.Set("Authorization", "Bearer "+apiKey)
		}
		res, err := client.Do(req)
		switch {
		case errors.Is(err, outbound.ErrForbidden):
			return nil, fault.New(fault.Unavailable, "The address lies in a private network. The operator must allow it with --allow-networks.").Because(err)
		case err != nil:
			return nil, fault.New(fault.Unavailable, "The endpoint can't be reached. Check the address.").Because(err)
		}
		defer func() { _ = res.Body.Close() }()
		switch {
		case res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden:
			return nil, fault.New(fault.Unavailable, "The endpoint refuses the key. Check it, or make a new one there.")
		case res.StatusCode != http.StatusOK:
			return nil, fault.New(fault.Unavailable, "The endpoint answered %d to GET /models. Check that the address ends with the API's version, such as /v1.", res.StatusCode)
		}
		var list struct {
			Data []struct {
				ID string `json:"id"`
			} `json:"data"`
		}
		if err := json.NewDecoder(io.LimitReader(res.Body, 4<<20)).Decode(&list); err != nil {
			return nil, fault.New(fault.Unavailable, "The endpoint doesn't speak OpenAI's format: its list of models can't be read.").Because(err)
		}
		names := make([]string, 0, len(list.Data))
		for _, m := range list.Data {
			if len(names) < 500 && m.ID != "" && len(m.ID) <= 200 {
				names = append(names, m.ID)
			}
		}
		return names, nil
	}
}
