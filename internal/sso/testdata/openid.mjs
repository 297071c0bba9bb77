// Runs certified OpenID providers for tests, one for each list of clients in
// the argument, and prints their issuers as one line of JSON. Whoever signs in
// is who the login says: an e-mail address, verified, and after a "+" groups.
// GET /grants tells how many tokens each kind of grant gave, and how many clients
// registered themselves. It ends when its input does.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { once } from "node:events";
import { generateKeyPairSync } from "node:crypto";
import { fileURLToPath, pathToFileURL } from "node:url";

const ui = createRequire(new URL("../../../ui/package.json", import.meta.url));
const root = fileURLToPath(new URL("../../../ui/node_modules/oidc-provider/", import.meta.url));
const { Provider } = await import(pathToFileURL(ui.resolve("oidc-provider", { paths: [root] })));

const issuers = [];
for (const clients of JSON.parse(process.argv[2])) {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const provider = new Provider(issuer, {
    clients,
    jwks: { keys: [{ ...privateKey.export({ format: "jwk" }), use: "sig", kid: "one" }] },
    cookies: { keys: ["only for tests"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
    pkce: { required: () => true },
    rotateRefreshToken: true,
    features: { devInteractions: { enabled: true }, registration: { enabled: true } },
    ttl: { AccessToken: 600, AuthorizationCode: 60, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
    async findAccount(_ctx, login) {
      const [person, groups = ""] = login.split("+");
      return {
        accountId: login,
        claims: async () => ({
          sub: login,
          email: person,
          email_verified: !person.startsWith("unverified"),
          name: `${person.split("@")[0]} of ${issuer}`,
          groups: groups.split(",").filter(Boolean),
        }),
      };
    },
  });
  const grants = {};
  provider.on("grant.success", (ctx) => {
    const kind = ctx.oidc.params.grant_type;
    grants[kind] = (grants[kind] ?? 0) + 1;
  });
  provider.on("registration_create.success", () => {
    grants.registration = (grants.registration ?? 0) + 1;
  });
  const answer = provider.callback();
  server.on("request", (req, res) => (req.url === "/grants" ? res.end(JSON.stringify(grants)) : answer(req, res)));
  issuers.push(issuer);
}
process.stdout.write(JSON.stringify(issuers) + "\n");
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
