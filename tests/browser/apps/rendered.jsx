// What a server renders and a page hydrates.
import { StrictMode } from "react";
import { AttOAuthProvider, useAttOAuth } from "att-oauth/react";

function Door() {
  const { status, scope, expiresAt } = useAttOAuth();
  return <h1>{[status, ...scope, expiresAt].join(" ")}</h1>;
}

export function Rendered(props) {
  return (
    <StrictMode>
      <AttOAuthProvider {...props}>
        <Door />
      </AttOAuthProvider>
    </StrictMode>
  );
}
