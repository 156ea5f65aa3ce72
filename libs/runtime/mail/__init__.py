"""Mail: written as text and HTML, sent over SMTP or through Resend, else told in the log."""
