import type { CedarQuestion } from './compile.ts';
import type { Person, PersonAction, PhaseQuestion, Role } from './policy.ts';

type Entity = CedarQuestion['entities'][number];
export type FindingQuestion = Omit<PhaseQuestion, 'phase' | 'effects'>;

const BOT = { type: 'Bot', id: 'tourniquet' };
const SYSTEM = { type: 'System', id: 'tourniquet' };
const action = (id: string) => ({ type: 'Action', id });

/** May this finding lead to action? `requester` is who asked for it, if a person did. */
export const actQuestion = (question: FindingQuestion, requester: Person | undefined): CedarQuestion =>
  botQuestion('act', question, requester, {});

/** May the bot begin this phase by itself? */
export const phaseQuestion = (question: PhaseQuestion, requester: Person | undefined): CedarQuestion =>
  botQuestion(question.phase, question, requester, { effects: [...question.effects] });

/** May this person do this? `roles` are those that were asked for an approval. */
export function personQuestion(person: Person, asked: PersonAction, roles: readonly string[]): CedarQuestion {
  const { entity, parents } = personEntity(person);
  return {
    principal: entity.uid,
    action: action(asked),
    resource: SYSTEM,
    context: asked === 'approve' || asked === 'deny' ? { roles: roles.map((id) => ({ __entity: role(id) })) } : {},
    entities: [entity, ...parents],
  };
}

function botQuestion(
  name: string,
  question: FindingQuestion,
  requester: Person | undefined,
  more: CedarQuestion['context'],
): CedarQuestion {
  const { severity, exposure, validity, braked } = question;
  const credential = credentialEntity(question);
  const person = requester && personEntity(requester);
  return {
    principal: BOT,
    action: action(name),
    resource: credential.uid,
    context: {
      severity,
      exposure,
      validity,
      braked,
      ...more,
      ...(requester ? { requester: { __entity: { type: 'Person', id: requester.id } } } : {}),
    },
    entities: [credential, ...(person ? [person.entity, ...person.parents] : [])],
  };
}

function credentialEntity({ credential, holding }: FindingQuestion): Entity {
  const { kind, id, where } = credential;
  const { environment, owner, honeytoken = false } = holding;
  const texts = Object.entries(where).filter((pair): pair is [string, string] => typeof pair[1] === 'string');
  return {
    uid: { type: 'Credential', id: `${kind}:${id}` },
    attrs: {
      kind,
      id,
      honeytoken,
      ...(environment === undefined ? {} : { environment }),
      ...(owner === undefined ? {} : { owner }),
      ...(holding.protected === undefined ? {} : { protected: holding.protected }),
    },
    parents: [],
    tags: Object.fromEntries(texts),
  };
}

const role = (id: string) => ({ type: 'Role', id });

const personEntity = ({ id, roles }: { readonly id: string; readonly roles: readonly Role[] }) => ({
  entity: { uid: { type: 'Person', id }, attrs: {}, parents: roles.map(role) } satisfies Entity,
  parents: roles.map((each): Entity => ({ uid: role(each), attrs: {}, parents: [] })),
});
