/** Markup as tagged templates: no JSX, so no build step. */
import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);

/** Joins the class names that are not falsy. */
export const classes = (...names) => names.filter(Boolean).join(" ");
