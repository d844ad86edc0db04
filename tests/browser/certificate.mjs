// A certificate of the tests' own, for https on this machine.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

/**
 * What the demo must speak https with, for that engine. WebKit takes no Secure cookies over http, not even from localhost
 * (WebKit's bugs 232088 and 281149; the second is fixed for Cocoa's ports alone).
 */
export const tlsFor = engine => (engine === "webkit" ? selfSigned() : undefined);

/**
 * A new key and its certificate, for a day, that signs itself.
 * @returns {{ key: string, cert: string }} in PEM
 */
function selfSigned() {
  const folder = mkdtempSync(path.join(tmpdir(), "att-oauth-"));
  const [key, cert] = ["key.pem", "cert.pem"].map(name => path.join(folder, name));
  try {
    execFileSync("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-days", "1"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
      ...["-keyout", key, "-out", cert],
    ], { stdio: ["ignore", "ignore", "pipe"] });
    return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
