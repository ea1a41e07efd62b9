// What an admin decided about a trader's money, told where the trader is.
import { dollars, words } from "../common/format.js";
import { toast } from "../common/toast.js";

const DECIDED = /^(deposit|withdrawal)_(approved|rejected)$/;

// event: an account event of the stream.
export function tellDecision({ kind, payload }) {
  const [, what, decision] = kind.match(DECIDED) ?? [];
  if (!what) return;
  const reason = payload.remark ? ` ${payload.remark}` : "";
  const text = `${words(what)} of ${dollars(payload.amount)} ${decision}.${reason}`;
  toast(text, decision === "approved" ? "success" : "warning");
}
