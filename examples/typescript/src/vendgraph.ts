// How to ask Vendgraph and how to follow it, with the types that codegen makes of each document.
import { createClient } from "graphql-ws";
import WebSocket from "ws";
import type { TypedDocumentString } from "./gql/graphql.js";

const NO_GOOD_KEY = 4403;

interface Answer<Data> {
  data?: Data | null | undefined;
  errors?: readonly { message: string }[] | undefined;
}

interface Page<Node> {
  nodes: readonly Node[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

export class Vendgraph {
  readonly #url: string;
  readonly #authorization: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#authorization = `Bearer ${key}`;
  }

  async ask<Data, Variables>(document: TypedDocumentString<Data, Variables>, variables: Variables): Promise<Data> {
    const answer = await fetch(this.#url, {
      method: "POST",
      headers: { authorization: this.#authorization, "content-type": "application/json" },
      body: JSON.stringify({ query: document.toString(), variables }),
    });
    return dataOf((await answer.json()) as Answer<Data>);
  }

  // Calls `told` with each message. After a break it goes on from the last cursor by itself: nothing is left out, and
  // nothing comes twice. It ends with an error, such as that of a key which is not good.
  follow<Data, Variables extends { after?: string | null }>(
    document: TypedDocumentString<Data, Variables>,
    variables: Variables,
    cursorOf: (data: Data) => string,
    told: (data: Data) => void,
  ): Promise<void> {
    const client = createClient({
      url: this.#url.replace("http", "ws"),
      webSocketImpl: WebSocket,
      connectionParams: { authorization: this.#authorization },
      retryAttempts: Infinity,
      shouldRetry: (cause) => (cause as { code?: number }).code !== NO_GOOD_KEY,
    });
    const going = { ...variables };
    return new Promise((resolve, reject) => {
      client.subscribe<Data>(
        { query: document.toString(), variables: going },
        {
          next: (answer) => {
            const data = dataOf<Data>(answer);
            going.after = cursorOf(data);
            told(data);
          },
          error: (cause) => reject(new Error(reason(cause))),
          complete: resolve,
        },
      );
    });
  }
}

// Each item of a list, to its end. `next` asks for the page after a cursor.
export async function* all<Node>(next: (after: string | null) => Promise<Page<Node>>): AsyncGenerator<Node> {
  let after: string | null = null;
  let page: Page<Node>;
  do {
    page = await next(after);
    yield* page.nodes;
    after = page.pageInfo.endCursor;
  } while (page.pageInfo.hasNextPage);
}

function dataOf<Data>({ data, errors = [] }: Answer<Data>): Data {
  const told = errors.map(({ message }) => message).join("; ");
  if (!data) throw new Error(told || "there was no answer");
  if (told) console.error(told); // what is null because of it is null in `data`
  return data;
}

// What ends a subscription: errors of the operation, a socket that was closed for good, or anything else.
function reason(cause: unknown): string {
  if (Array.isArray(cause)) return cause.map(({ message }) => message).join("; ");
  if ((cause as { code?: number }).code === NO_GOOD_KEY) return "this key is not good";
  return String(cause);
}
