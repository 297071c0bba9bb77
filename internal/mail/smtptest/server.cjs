// A mail server for tests: says on stdout, a JSON line each, where it listens
// and what it was given. Settings are the first argument; it runs in the folder that has the package.
const { createRequire } = require('node:module')
const { SMTPServer } = createRequire(process.cwd() + '/')('smtp-server')

const settings = JSON.parse(process.argv[1])
const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')
const refusal = (code, text) => Object.assign(new Error(text), { responseCode: code })
const attempts = {}

const server = new SMTPServer({
  secure: settings.tls === 'tls',
  key: settings.key || undefined,
  cert: settings.cert || undefined,
  hideSTARTTLS: settings.tls !== 'starttls',
  authOptional: !settings.user,
  disableReverseLookup: true,
  onAuth(auth, session, done) {
    if (auth.username === settings.user && auth.password === settings.password) return done(null, { user: auth.username })
    done(refusal(535, '5.7.8 Who are you?'))
  },
  onRcptTo({ address }, session, done) {
    attempts[address] = (attempts[address] || 0) + 1
    if (address.startsWith('nobody')) return done(refusal(550, '5.1.1 No such user here'))
    if (address.startsWith('later') && attempts[address] === 1) return done(refusal(451, '4.7.1 Greylisted, come again'))
    done()
  },
  onData(stream, session, done) {
    const parts = []
    stream.on('data', (part) => parts.push(part))
    stream.on('end', () => {
      say({
        from: session.envelope.mailFrom.address,
        to: session.envelope.rcptTo.map((r) => r.address),
        secure: session.secure,
        user: session.user || '',
        data: Buffer.concat(parts).toString('utf8'),
      })
      done()
    })
  },
})
server.on('error', () => {}) // of single connections
server.listen(settings.port || 0, '127.0.0.1', () => say({ port: server.server.address().port }))
process.stdin.on('end', () => process.exit(0)).resume() // ends with the test
