/** Support: tickets to the people who run this server. */
import { useState } from "preact/hooks";
import { get, post } from "../api.js";
import { plural, words } from "../format.js";
import { html } from "../html.js";
import { useAction, useLoad } from "../load.js";
import { Badge, Button, Card, Empty, ErrorNote, Facts, Loaded, PageHead, When } from "../ui/basics.js";
import { Dialog } from "../ui/dialog.js";
import { Lines, Select, Text } from "../ui/fields.js";
import { toast } from "../ui/toast.js";

const SEVERITIES = [["low", "Low"], ["medium", "Medium"], ["high", "High"]];
const TYPES = [["bug", "Something is broken"], ["feature-request", "Something is missing"]];

export default function Support() {
  const tickets = useLoad((signal) => get("/v1/support", { limit: 100 }, signal), []);
  const [open, setOpen] = useState(null);
  return html`
    <${PageHead} title="Support"><${Button} kind="primary" icon="plus" onClick=${() => setOpen("new")}>New ticket<//><//>
    <${Card} flush>
      <${Loaded} loaded=${tickets}>
        ${(data) => (data.tickets.length
          ? html`<ul class="rows" aria-label=${plural(data.total, "ticket")}>${data.tickets.map((ticket) => html`
              <li key=${ticket.ticket_id}>
                <span class="grow">
                  <button type="button" class="moment-travel strong-link" onClick=${() => setOpen(ticket)}>${ticket.subject}</button>
                  <span class="second">#${ticket.ticket_id} · ${words(ticket.type.replace("-", " "))} · <${When} at=${ticket.created_at} /></span>
                </span>
                <${Badge} state=${ticket.ticket_status} />
              </li>`)}</ul>`
          : html`<${Empty} title="No tickets">Tell us what is broken, or missing.<//>`)}
      <//>
    <//>
    ${open === "new" && html`<${NewTicket} onDone=${tickets.reload} onClose=${() => setOpen(null)} />`}
    ${open && open !== "new" && html`<${Ticket} ticket=${open} onClose=${() => setOpen(null)} />`}`;
}

const Ticket = ({ ticket, onClose }) => html`
  <${Dialog} title=${`#${ticket.ticket_id} ${ticket.subject}`} onClose=${onClose}>
    <div class="dialog-body">
      <${Facts} facts=${[["State", html`<${Badge} state=${ticket.ticket_status} />`], ["Severity", words(ticket.severity)], ["Changed", html`<${When} at=${ticket.updated_at} />`]]} />
      <p class="message">${ticket.message}</p>
    </div>
  <//>`;

function NewTicket({ onDone, onClose }) {
  const [ticket, setTicket] = useState({ subject: "", message: "", severity: "medium", type: "bug" });
  const set = (changes) => setTicket((old) => ({ ...old, ...changes }));
  const sending = useAction(async () => {
    const { ticket_id } = await post("/v1/support", ticket);
    toast(`Ticket #${ticket_id} was received`);
    onDone();
    onClose();
  });
  const submit = (event) => { event.preventDefault(); sending.run(); };
  const fault = (field) => sending.error?.fault?.(field);
  return html`
    <${Dialog} title="New ticket" onClose=${onClose}>
      <form onSubmit=${submit} noValidate>
        <div class="dialog-body">
          <${Select} label="What is it?" value=${ticket.type} onValue=${(type) => set({ type })} options=${TYPES} />
          <${Text} label="Subject" value=${ticket.subject} onValue=${(subject) => set({ subject })} error=${fault("subject")} maxlength="200" />
          <${Lines} label="Message" rows="6" value=${ticket.message} onValue=${(message) => set({ message })} error=${fault("message")} hint="At least 30 characters: what you did, what happened, what you expected" />
          <${Select} label="Severity" value=${ticket.severity} onValue=${(severity) => set({ severity })} options=${SEVERITIES} />
          <${ErrorNote} error=${sending.error} />
        </div>
        <div class="dialog-foot"><${Button} onClick=${onClose}>Cancel<//><${Button} kind="primary" type="submit" busy=${sending.busy}>Send<//></div>
      </form>
    <//>`;
}
