/** Ready-made operations, one a tab; each runs as it is for a signed-in admin. */
export const examples = [
  {
    query: `# Who am I, and what am I?
query Me {
  viewer {
    user { name email }
    account { name slug planes }
    roles { role kind plane label }
  }
}
`,
  },
  {
    query: `# The first organizations and teams with what they have left.
query Budgets {
  console {
    id
    scopes(kinds: [CONSOLE, ORGANIZATION, TEAM], first: 20) {
      edges {
        node {
          id
          name
          kind
          budget { id version limit state { spent held remaining status runsOutAt } }
        }
      }
    }
  }
}
`,
  },
  {
    query: `# Live: put the id of \`console { id }\` into the variables, run, and make a model call.
subscription Burn($scopeId: ID!) {
  budgetBurn(scopeId: $scopeId, descendants: true) {
    at
    states { scopeId spent held remaining status }
    topSpenders { name amount calls }
  }
}
`,
    variables: '{ "scopeId": "" }',
  },
  {
    query: `# Raise a limit. Take scopeId and version from the tab "Budgets".
mutation Raise($input: BudgetSetInput!) {
  budgetSet(input: $input) {
    budget { id limit version state { remaining status } }
    errors { code message path }
  }
}
`,
    variables: '{ "input": { "scopeId": "", "limit": "100", "expectedVersion": 1 } }',
  },
]
