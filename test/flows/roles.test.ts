import { afterEach, describe, expect, it } from 'vitest';
import { type Flow, githubAlert, openFlow } from './world.ts';

let flow: Flow;
afterEach(() => flow.end());

/** A GitHub token whose containment anybody on call may approve, and whose retirement only an approver or a lead. */
async function leakedToken() {
  const token = flow.world.github.world.addToken('ghp', 'ada', { scopes: ['repo'] });
  await flow.post(githubAlert(flow, token, { secretType: 'github_personal_access_token' }).delivery);
  await flow.settle();
  return token;
}
const approvals = async () =>
  (await flow.incident()).entries.flatMap((entry) =>
    entry.type === 'approval' ? [{ by: entry.actor.id, verdict: entry.verdict, phases: entry.phases }] : [],
  );

describe('who may approve what', () => {
  it('a responder approves the containment, and has not thereby approved what only an approver may', async () => {
    flow = await openFlow();
    const token = await leakedToken();
    expect(await flow.verdict('cli:ana')).toMatchObject({ ok: true });
    await flow.settle();
    expect(flow.world.github.world.accepts(token)).toBe(false);
    expect(await approvals()).toEqual([{ by: 'ana', verdict: 'approve', phases: ['contain'] }]);
    expect(await flow.run()).toMatchObject({ standing: 'waiting-approval', action: { what: { phases: ['retire'] } } });

    expect(await flow.verdict('cli:ana')).toMatchObject({ ok: false, code: 'not-allowed' });
    expect(await flow.verdict('cli:ana', 'deny')).toMatchObject({ ok: false, code: 'not-allowed' });
    expect(await flow.verdict('cli:kim')).toMatchObject({ ok: true });
    await flow.settle();
    expect(await flow.run()).toMatchObject({ standing: 'retired' });
  });

  it('an approver approves everything that waits at once, by the rule of each phase', async () => {
    flow = await openFlow();
    await leakedToken();
    await flow.verdict('cli:kim');
    await flow.settle();
    expect(await approvals()).toEqual([{ by: 'kim', verdict: 'approve', phases: ['contain', 'retire'] }]);
    expect(await flow.run()).toMatchObject({ standing: 'retired' });
  });

  it('nobody whom the roster does not know decides anything, and a denial leaves the token as it is', async () => {
    flow = await openFlow();
    const token = await leakedToken();
    expect(await flow.verdict('cli:mallory')).toMatchObject({ ok: false, code: 'nobody' });
    expect(await flow.verdict('cli:lee', 'deny')).toMatchObject({ ok: true });
    await flow.settle();
    expect(await flow.run()).toMatchObject({ standing: 'denied' });
    expect(flow.world.github.world.accepts(token)).toBe(true);
    expect(flow.calls).not.toContain('POST /credentials/revoke');
  });

  it('whoever asked for a revocation cannot approve it, nor what follows', async () => {
    flow = await openFlow();
    const token = flow.world.github.world.addToken('ghp', 'ada', { scopes: ['repo'] });
    expect(await flow.app.revoke({ text: token, authn: 'cli:lee', why: 'lost laptop' })).toMatchObject({ ok: true });
    await flow.settle();
    expect(await flow.run()).toMatchObject({ standing: 'waiting-approval' });
    expect(await flow.verdict('cli:lee')).toMatchObject({ ok: false, code: 'own-request' });
    expect(await flow.verdict('cli:kim')).toMatchObject({ ok: true });
    await flow.settle();
    expect(flow.world.github.world.accepts(token)).toBe(false);
  });
});
