/** Settings: the account's addresses and mails, and this browser's tracing UI. */
import { useState } from "preact/hooks";
import { patch } from "../api.js";
import { tracingUrl } from "../config.js";
import { date, words } from "../format.js";
import { html } from "../html.js";
import { useAction } from "../load.js";
import { me } from "../session.js";
import { Button, Card, ErrorNote, Facts, PageHead, Skeleton } from "../ui/basics.js";
import { Check, Text } from "../ui/fields.js";
import { toast } from "../ui/toast.js";

export default () => html`
  <${PageHead} title="Settings" />
  ${me.value ? html`<div class="stack"><${Account} account=${me.value} /><${Tracing} /></div>` : html`<${Skeleton} lines=${6} />`}`;

function Account({ account }) {
  const [email, setEmail] = useState(account.email);
  const [alertUrl, setAlertUrl] = useState(account.alert_webhook_url ?? "");
  const [mails, setMails] = useState(account.email_notifications);
  const saving = useAction(async () => {
    me.value = await patch("/v1/auth/me", { email, alert_webhook_url: alertUrl.trim(), email_notifications: mails });
    toast("Saved");
  });
  const submit = (event) => { event.preventDefault(); saving.run(); };
  const fault = (field) => saving.error?.fault?.(field);
  return html`
    <${Card} title="Account">
      <form class="stack" onSubmit=${submit} noValidate>
        <${Facts} facts=${[["Plan", words(account.plan)], ["Since", date(account.created_at)], ["Account id", html`<code>${account.id}</code>`]]} />
        <div class="form">
          <${Text} label="Email" type="email" value=${email} onValue=${setEmail} error=${fault("email")} hint="Both addresses are told when it changes" />
          <${Text} label="Alert webhook" type="url" value=${alertUrl} onValue=${setAlertUrl} error=${fault("alert_webhook_url")} placeholder="https://…" hint="Gets every alert, signed; empty for none" />
          <div class="wide"><${Check} label="Mail me about failures and alerts" hint="Mails about security always come" checked=${mails} onValue=${setMails} /></div>
        </div>
        <${ErrorNote} error=${saving.error} />
        <div class="form-foot"><${Button} kind="primary" type="submit" busy=${saving.busy}>Save<//></div>
      </form>
    <//>`;
}

const Tracing = () => html`
  <${Card} title="Tracing">
    <${Text} label="Address of a trace" value=${tracingUrl.value} onValue=${(url) => { tracingUrl.value = url.trim(); }}
      placeholder="https://tempo.example.com/trace/{trace_id}" hint="With {trace_id} in it, executions link to their trace. Kept in this browser." />
  <//>`;
