/** Sign in: by a mailed link, or with an API key. */
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { post } from "../api.js";
import { useAction } from "../load.js";
import { signInOnce, signInWithKey } from "../session.js";
import { Button, ErrorNote } from "../ui/basics.js";
import { Segments, Text } from "../ui/fields.js";
import { Logo } from "../ui/icons.js";

const WAYS = [["mail", "Email link"], ["key", "API key"]];

export default function SignIn() {
  const [way, setWay] = useState("mail");
  useEffect(() => { document.title = "Sign in · CueAPI"; }, []);
  return html`
    <main class="sign-in">
      <div class="sign-in-box">
        <div class="sign-in-head"><${Logo} /><h1>Sign in to CueAPI</h1></div>
        <div class="card">
          <${Segments} label="Way to sign in" value=${way} onValue=${setWay} options=${WAYS} />
          ${way === "mail" ? html`<${ByMail} />` : html`<${ByKey} />`}
        </div>
      </div>
    </main>`;
}

function ByKey() {
  const [key, setKey] = useState("");
  const entering = useAction(signInWithKey);
  const submit = (event) => { event.preventDefault(); entering.run(key); };
  return html`
    <form onSubmit=${submit}>
      <${Text} label="API key" value=${key} onValue=${setKey} type="password" autocomplete="off" spellcheck=${false} placeholder="cue_sk_…" required
        hint="It is exchanged for a session at once, and not kept." />
      <${ErrorNote} error=${entering.error} />
      <${Button} kind="primary" type="submit" busy=${entering.busy}>Sign in<//>
    </form>`;
}

function ByMail() {
  const [email, setEmail] = useState("");
  const [sent, setSent] = useState(null);
  const sending = useAction(async () => {
    const code = await post("/v1/auth/device-code");
    await post("/v1/auth/device-code/submit-email", { device_code: code.device_code, email });
    setSent(code);
  });
  const submit = (event) => { event.preventDefault(); sending.run(); };
  if (sent) return html`<${Waiting} code=${sent} email=${email} again=${() => setSent(null)} />`;
  return html`
    <form onSubmit=${submit}>
      <${Text} label="Email" value=${email} onValue=${setEmail} type="email" autocomplete="email" placeholder="you@company.com" required
        error=${sending.error?.fault?.("email")} hint="New here? The link opens your account." />
      <${ErrorNote} error=${sending.error} />
      <${Button} kind="primary" type="submit" busy=${sending.busy}>Send me a link<//>
    </form>`;
}

/** Asks until the link in the mail was followed. */
function Waiting({ code, email, again }) {
  const [error, setError] = useState(null);
  const [over, setOver] = useState(false);
  useEffect(() => {
    let timer;
    const next = () => { timer = setTimeout(poll, (code.interval + 0.2) * 1_000); };
    const poll = async () => {
      try {
        const answer = await post("/v1/auth/device-code/poll", { device_code: code.device_code });
        if (answer.status === "approved") await signInOnce(answer.session_token);
        else if (answer.status === "pending" || answer.status === "email_sent") next();
        else setOver(true);
      } catch (refusal) {
        if (refusal.status === 0 || refusal.status >= 500 || refusal.status === 429) next();
        else setError(refusal);
      }
    };
    next();
    return () => clearTimeout(timer);
  }, [code]);
  return html`
    <div role="status">
      <p>We sent a link to <strong>${email}</strong>. Open it on any device: the page must show this code.</p>
    </div>
    <p class="sign-in-code">${code.device_code}</p>
    <${ErrorNote} error=${error} />
    ${over && html`<p class="note note-warn">This sign-in has expired.</p>`}
    <${Button} onClick=${again}>Use another address<//>`;
}
