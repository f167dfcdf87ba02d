import type { Alert, DeployKey, Installation, Place, Repository } from './state.ts';
import type { GithubWorld } from './world.ts';

const API = 'https://api.github.com';
const WEB = 'https://github.com';

/** GitHub's dates have seconds, no fractions. */
export const dated = (date: Date): string => date.toISOString().replace(/\.\d{3}Z$/, 'Z');
const datedOrNull = (date: Date | null): string | null => (date === null ? null : dated(date));

/** A number that is the same for the same name. */
const idOf = (name: string): number =>
  [...name].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 1_000_003, 7);
const nodeId = (kind: string, id: number): string => Buffer.from(`${kind}${id}`).toString('base64');

export function userShape(login: string, type: 'User' | 'Organization' = 'User') {
  const url = `${API}/users/${login}`;
  const id = idOf(login);
  return {
    login,
    id,
    node_id: nodeId('U', id),
    avatar_url: `https://avatars.githubusercontent.com/u/${id}?v=4`,
    gravatar_id: '',
    url,
    html_url: `${WEB}/${login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type,
    site_admin: false,
  };
}

export const profileShape = (login: string) => ({
  ...userShape(login),
  user_view_type: 'public',
  name: null,
  company: null,
  blog: '',
  location: null,
  email: null,
  hireable: null,
  bio: null,
  twitter_username: null,
  public_repos: 2,
  public_gists: 0,
  followers: 0,
  following: 0,
  created_at: '2020-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
});

export function organisationShape(login: string) {
  const url = `${API}/orgs/${login}`;
  return {
    login,
    id: idOf(login),
    node_id: nodeId('O', idOf(login)),
    url,
    repos_url: `${url}/repos`,
    events_url: `${url}/events`,
    hooks_url: `${url}/hooks`,
    issues_url: `${url}/issues`,
    members_url: `${url}/members{/member}`,
    public_members_url: `${url}/public_members{/member}`,
    avatar_url: `https://avatars.githubusercontent.com/u/${idOf(login)}?v=4`,
    description: null,
  };
}

/** The addresses of a repository, `NAME_url` each, and the part that follows its own. */
const REPOSITORY_URLS = {
  archive: '/{archive_format}{/ref}',
  assignees: '/assignees{/user}',
  blobs: '/git/blobs{/sha}',
  branches: '/branches{/branch}',
  collaborators: '/collaborators{/collaborator}',
  comments: '/comments{/number}',
  commits: '/commits{/sha}',
  compare: '/compare/{base}...{head}',
  contents: '/contents/{+path}',
  contributors: '/contributors',
  deployments: '/deployments',
  downloads: '/downloads',
  events: '/events',
  forks: '/forks',
  git_commits: '/git/commits{/sha}',
  git_refs: '/git/refs{/sha}',
  git_tags: '/git/tags{/sha}',
  hooks: '/hooks',
  issue_comment: '/issues/comments{/number}',
  issue_events: '/issues/events{/number}',
  issues: '/issues{/number}',
  keys: '/keys{/key_id}',
  labels: '/labels{/name}',
  languages: '/languages',
  merges: '/merges',
  milestones: '/milestones{/number}',
  notifications: '/notifications{?since,all,participating}',
  pulls: '/pulls{/number}',
  releases: '/releases{/id}',
  stargazers: '/stargazers',
  statuses: '/statuses/{sha}',
  subscribers: '/subscribers',
  subscription: '/subscription',
  tags: '/tags',
  teams: '/teams',
  trees: '/git/trees{/sha}',
} as const;

export function repositoryShape({ id, owner, name, private: isPrivate }: Repository) {
  const full = `${owner}/${name}`;
  const url = `${API}/repos/${full}`;
  const urls = Object.entries(REPOSITORY_URLS).map(([key, end]) => [`${key}_url`, `${url}${end}`] as const);
  return {
    id,
    node_id: nodeId('R', id),
    name,
    full_name: full,
    private: isPrivate,
    owner: userShape(owner, 'Organization'),
    html_url: `${WEB}/${full}`,
    description: null,
    fork: false,
    url,
    ...Object.fromEntries(urls),
    clone_url: `${WEB}/${full}.git`,
    git_url: `git://github.com/${full}.git`,
    ssh_url: `git@github.com:${full}.git`,
    svn_url: `${WEB}/${full}`,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    default_branch: 'main',
    visibility: isPrivate ? 'private' : 'public',
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    open_issues: 0,
    open_issues_count: 0,
    size: 12,
    has_issues: true,
    has_projects: false,
    has_wiki: false,
    has_pages: false,
    has_downloads: true,
    has_discussions: false,
    archived: false,
    disabled: false,
    topics: [],
    pushed_at: '2026-01-01T00:00:00Z',
    created_at: '2020-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
  };
}

export const fullRepositoryShape = (repository: Repository) => ({
  ...repositoryShape(repository),
  network_count: 0,
  subscribers_count: 1,
});

export const appShape = (world: GithubWorld) => ({
  id: Number(world.appId),
  slug: world.appSlug,
  node_id: nodeId('A', Number(world.appId)),
  client_id: 'Iv23liTourniquet',
  owner: userShape('acme', 'Organization'),
  name: 'Tourniquet',
  description: null,
  external_url: 'https://tourniquet.example',
  html_url: `${WEB}/apps/${world.appSlug}`,
  created_at: '2026-01-01T00:00:00Z',
  updated_at: '2026-01-01T00:00:00Z',
  permissions: world.appPermissions,
  events: ['secret_scanning_alert', 'secret_scanning_alert_location'],
  installations_count: world.state.installations.size,
});

export const installationShape = (world: GithubWorld, installation: Installation) => ({
  id: installation.id,
  account: userShape(installation.owner, 'Organization'),
  repository_selection: 'all',
  access_tokens_url: `${API}/app/installations/${installation.id}/access_tokens`,
  repositories_url: `${API}/installation/repositories`,
  html_url: `${WEB}/organizations/${installation.owner}/settings/installations/${installation.id}`,
  app_id: Number(world.appId),
  app_slug: world.appSlug,
  target_id: idOf(installation.owner),
  target_type: 'Organization',
  permissions: installation.permissions,
  events: ['secret_scanning_alert'],
  created_at: dated(installation.createdAt),
  updated_at: dated(installation.createdAt),
  single_file_name: null,
  suspended_at: datedOrNull(installation.suspendedAt),
  suspended_by: installation.suspendedAt === null ? null : userShape('tourniquet[bot]'),
});

export const deployKeyShape = ({ owner, name }: Repository, key: DeployKey) => ({
  id: key.id,
  key: key.key,
  url: `${API}/repos/${owner}/${name}/keys/${key.id}`,
  title: key.title,
  verified: true,
  created_at: dated(key.createdAt),
  read_only: key.readOnly,
  added_by: 'ada',
  last_used: datedOrNull(key.lastUsed),
  enabled: true,
});

export function placeShape({ owner, name }: Repository, place: Place) {
  const url = `${API}/repos/${owner}/${name}`;
  if (place.type === 'commit') {
    const { path, line, commit } = place;
    const blob = commit.split('').toReversed().join('');
    const at = { path, start_line: line, end_line: line, start_column: 1, end_column: 41 };
    const page = `${WEB}/${owner}/${name}/blob/${commit}/${path}#L${line}`;
    const links = { blob_url: `${url}/git/blobs/${blob}`, commit_url: `${url}/git/commits/${commit}`, html_url: page };
    return { type: place.type, details: { ...at, blob_sha: blob, commit_sha: commit, ...links } };
  }
  const end = place.type === 'issue_body' ? `issues/${place.issue}` : `issues/comments/${place.issue}`;
  return { type: place.type, details: { [`${place.type}_url`]: `${url}/${end}` } };
}

/** What webhook and API tell alike of an alert: neither its secret nor its state. */
export function alertShape(repository: Repository, alert: Alert) {
  const { owner, name } = repository;
  const url = `${API}/repos/${owner}/${name}/secret-scanning/alerts/${alert.number}`;
  return {
    number: alert.number,
    created_at: dated(alert.createdAt),
    updated_at: datedOrNull(alert.resolvedAt ?? alert.createdAt),
    url,
    html_url: `${WEB}/${owner}/${name}/security/secret-scanning/${alert.number}`,
    locations_url: `${url}/locations`,
    resolution: alert.resolution,
    resolved_at: datedOrNull(alert.resolvedAt),
    resolved_by: alert.resolvedAt === null ? null : userShape('tourniquet[bot]'),
    resolution_comment: alert.comment,
    secret_type: alert.secretType,
    secret_type_display_name: displayName(alert.secretType),
    validity: alert.validity,
    publicly_leaked: alert.publiclyLeaked,
    multi_repo: false,
    push_protection_bypassed: false,
    push_protection_bypassed_by: null,
    push_protection_bypassed_at: null,
  };
}

/** As the API gives it. With `hide_secret`, GitHub puts this text in place of the secret. */
export const wholeAlertShape = (repository: Repository, alert: Alert, hideSecret: boolean) => ({
  ...alertShape(repository, alert),
  state: alert.state,
  secret: hideSecret ? 'Secret has been hidden' : alert.secret,
  has_more_locations: alert.places.length > 1,
});

/** GitHub writes these names by hand; this comes close: `aws_access_key_id` is shown as AWS Access Key ID. */
const displayName = (secretType: string): string =>
  secretType
    .split('_')
    .map((word) => NAMES[word] ?? `${word.charAt(0).toUpperCase()}${word.slice(1)}`)
    .join(' ');

const NAMES: Readonly<Record<string, string>> = { aws: 'AWS', id: 'ID', github: 'GitHub', ssh: 'SSH', api: 'API' };
