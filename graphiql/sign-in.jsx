// Asks for a key. Whether it is good, the first request tells.
export function SignIn({ onKey, why }) {
  const submit = (event) => {
    event.preventDefault();
    onKey(new FormData(event.target).get("key").trim());
  };
  return (
    <form className="sign-in" onSubmit={submit}>
      <h1>Vendgraph</h1>
      <label htmlFor="key">API key</label>
      <input id="key" name="key" type="password" autoComplete="off" spellCheck="false" required autoFocus />
      <p role="alert">{why}</p>
      <button type="submit">Sign in</button>
      <p>The key stays in this tab, until you close it or sign out.</p>
    </form>
  );
}
