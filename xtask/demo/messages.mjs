// The messages that passed, as they may be shown, to all who follow.
const KEPT = 200;

/** A feed: `push` a message; `follow` yields those kept, then each new one, until `signal` aborts. */
export function createFeed() {
  const kept = [];
  const followers = new Set();
  let last = 0;
  return {
    push(message) {
      const entry = { id: ++last, message };
      kept.push(entry);
      if (kept.length > KEPT) kept.shift();
      for (const wake of followers) wake();
    },
    async *follow(after, signal) {
      // One that comes from before a restart has seen ids that don't exist yet.
      let seen = after <= last ? after : 0;
      while (!signal.aborted) {
        const next = kept.find(({ id }) => id > seen);
        if (next) {
          seen = next.id;
          yield next;
          continue;
        }
        await new Promise(resolve => {
          const wake = () => {
            followers.delete(wake);
            signal.removeEventListener("abort", wake);
            resolve();
          };
          followers.add(wake);
          signal.addEventListener("abort", wake, { once: true });
        });
      }
    },
  };
}
