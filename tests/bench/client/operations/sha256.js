// SHA-256 (FIPS 180-4) of up to 55 bytes, for the floor: an app that hashes its verifier by hand waits for nobody.
const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every(prime => n % prime !== 0)) PRIMES.push(n);
const fraction = number => ((number - Math.floor(number)) * 2 ** 32) | 0;
const START = PRIMES.slice(0, 8).map(prime => fraction(Math.sqrt(prime)));
const K = Int32Array.from(PRIMES, prime => fraction(Math.cbrt(prime)));
const words = new Int32Array(64);
const turn = (word, by) => (word >>> by) | (word << (32 - by));

/** The digest of an ASCII text. */
export function sha256(text) {
  words.fill(0);
  for (let i = 0; i < text.length; i++) words[i >> 2] |= text.charCodeAt(i) << (24 - (i & 3) * 8);
  words[text.length >> 2] |= 0x80 << (24 - (text.length & 3) * 8);
  words[15] = text.length * 8;
  for (let i = 16; i < 64; i++) {
    const [a, b] = [words[i - 15], words[i - 2]];
    words[i] = words[i - 16] + words[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = START;
  for (let i = 0; i < 64; i++) {
    const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + words[i]) | 0;
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + first) | 0;
    d = c;
    c = b;
    b = a;
    a = (first + second) | 0;
  }
  const digest = new Uint8Array(32);
  const view = new DataView(digest.buffer);
  [a, b, c, d, e, f, g, h].forEach((word, i) => view.setInt32(i * 4, word + START[i]));
  return digest;
}
