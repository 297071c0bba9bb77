import type { CodegenConfig } from '@graphql-codegen/cli'

// Types come from the server's SDL alone; `npm run codegen` after every change of it or of an operation.
export default {
  schema: '../graph/*/*.graphqls',
  documents: 'src/**/*.graphql',
  ignoreNoDocuments: true,
  generates: {
    'src/graphql/generated/': {
      preset: 'client',
      presetConfig: { fragmentMasking: false },
      config: {
        useTypeImports: true,
        enumsAsTypes: true,
        strictScalars: true,
        scalars: {
          DateTime: 'string',
          USD: 'string',
          Credits: 'string',
          Amount: 'string',
          Percent: 'number',
          Long: 'number',
          JSON: 'unknown',
        },
      },
    },
  },
} satisfies CodegenConfig
