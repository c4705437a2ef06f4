// The page: asks for a key, and shows GraphiQL over the gateway that it came from.
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL } from "graphiql";
import "graphiql/style.css";
import { createClient } from "graphql-ws";
import { useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import "./page.css";
import { SignIn } from "./sign-in.jsx";
import { forget, keep, kept, opened } from "./session.js";
import "./workers.js";

const GRAPH = location.origin + location.pathname;
const REFUSED = 4403; // the socket's way to say 401

// Asks and follows with a key, and says when it is `refused`.
function connect(key, refused) {
  const authorization = `Bearer ${key}`;
  const socket = createClient({
    url: GRAPH.replace("http", "ws"),
    connectionParams: { authorization },
    on: { closed: ({ code }) => code === REFUSED && refused() },
  });
  const fetcher = createGraphiQLFetcher({
    url: GRAPH,
    headers: { authorization },
    fetch: async (...request) => {
      const answer = await fetch(...request);
      if (answer.status === 401) refused();
      return answer;
    },
    wsClient: socket,
  });
  return { fetcher, close: () => socket.dispose() };
}

function Explorer({ accessKey, onSignOut, query }) {
  const [{ fetcher, close }] = useState(() => connect(accessKey, () => onSignOut("This key is not good, or not any more.")));
  useEffect(() => close, []);
  return (
    <GraphiQL fetcher={fetcher} initialQuery={query} shouldPersistHeaders={false} showPersistHeadersSettings={false}>
      <GraphiQL.Logo>
        <button type="button" className="sign-out" onClick={() => onSignOut("")}>
          Sign out
        </button>
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

function Page({ query }) {
  const [key, setKey] = useState(kept);
  const [why, setWhy] = useState("");
  const signOut = (reason) => {
    forget();
    setWhy(reason);
    setKey(null);
  };
  const signIn = (text) => {
    keep(text);
    setKey(text);
  };
  return key ? <Explorer accessKey={key} onSignOut={signOut} query={query} /> : <SignIn onKey={signIn} why={why} />;
}

createRoot(document.getElementById("page")).render(<Page query={opened()} />);
