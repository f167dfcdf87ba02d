import type { BundleFacts } from './manifest.ts';

/** VERIFY.md: how to check a bundle, what that proves and what it does not. */
export const renderGuide = ({ log, scope, mode }: BundleFacts): string => `# How to verify this bundle

It holds ${scope.kind === 'incident' ? `the entries of incident ${scope.incident}` : 'every entry'} of the log

    ${log.origin}

as it stood at ${log.size} entries, written in ${mode} mode.

## What you need

1. Node.js 24 and the program tourniquet-verify, which is part of Tourniquet, from a source that you trust. It uses no network
   and no database.
2. A policy file with the log's public key. Get the key from the log's owner by another way than this bundle, and compare it
   with what others were given. A key from inside a bundle proves nothing. The file reads:

       log <the log's verifier key: NAME+HASH+KEY>
       quorum none

   Lines that name witnesses and time-stamping authorities (https://c2sp.org/tlog-policy, and \`tsa NAME SHA256\`) make it demand
   what these signed: see docs/custody.md of Tourniquet.

3. If you were given a checkpoint of this log before, keep it at hand: it is the only proof that nothing was cut off since.

## What to run

    tourniquet-verify BUNDLE.tar --policy POLICY [--seen CHECKPOINT.note] [--max-age 1d]

Exit code 0 means that every check passed, 1 that at least one failed (the report says which, and where), 2 that the command
was not understood or a file could not be read.

## What it proves

- **Every byte** of the file is as it was exported: the archive, its manifest, this text.
- **Each entry** is in the log under the signed checkpoint, in its place, once.
- **Each action** was recorded before it was taken; each approval names the exact plan; nobody approved what they asked for.

The report ends with the level that was reached:

| level | what it means |
|---|---|
| SELF-SIGNED | The log's own key signed it. Whoever holds that key could have written another history and signed it as well. |
| ANCHORED | Also, someone outside the log's reach recorded the checkpoint at a time. |
| WITNESSED | Also, independent witnesses saw the log grow and never shrink or fork, as many as your policy demands. |

## What it does not prove

- That everything which was done was logged. Compare the entries with the provider's own audit log by request id.
${scope.kind === 'incident' ? '- That these are all entries about the incident: whoever exported them chose them. Only a bundle of the whole log shows that.\n' : ''}- That the clock was right. Times are those of the machine that wrote the log.
- That nothing was cut off the end, unless you pass \`--seen\` with a checkpoint that you kept, or witnesses vouch for it.
  \`--max-age\` shows whether the newest entry is recent.

## With other tools

\`entries.jsonl\` holds the exact bytes of each entry, one per line, in canonical JSON (RFC 8785). A leaf of the tree is
SHA-256(0x00 ‖ line), as RFC 6962 says. \`anchors/*.tsr\` are RFC 3161 tokens over the text of the checkpoint. \`checkpoints/*.note\` are C2SP tlog-checkpoints, \`proofs/*.tlog-proof\` C2SP tlog-proofs,
\`manifest.json\` an in-toto Statement v1 in the DSSE envelope \`manifest.dsse.json\`.
`;
