import { z } from 'zod'

// Compiling validators would need 'unsafe-eval'.
z.config({ jitless: true })

export { z }
