/** A JSON value, deeply read-only: what steps, plans and entries are made of. `undefined` members are left out when written. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export type JsonObject = { readonly [key: string]: Json | undefined };
