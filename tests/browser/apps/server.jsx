// Prints what a server would send, and what becomes of a hook that has no provider.
import { renderToString } from "react-dom/server";
import { useAttOAuth } from "att-oauth/react";
import { Rendered } from "./rendered.jsx";

function Lost() {
  return useAttOAuth().status;
}

let refused;
try {
  renderToString(<Lost />);
} catch (error) {
  refused = error.message;
}
console.log(JSON.stringify({ markup: renderToString(<Rendered options={{ clientId: "any" }} />), refused }));
