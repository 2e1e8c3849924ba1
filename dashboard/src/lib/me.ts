/** Who is signed in, and what they may do: what they may not is not offered. */

import { useQuery } from "@tanstack/react-query";
import { get, isExported } from "./api";

export type Role = "viewer" | "editor" | "admin";

export interface Me {
  name: string;
  role: Role;
  kind: "owner" | "person" | "service";
  team: boolean;
}

export interface Health {
  version: string;
  team: boolean;
  needs_setup: boolean;
}

export interface User {
  name: string;
  kind: "person" | "service";
  role: Role;
  active: boolean;
  created: string;
}

export const ROLES: Role[] = ["viewer", "editor", "admin"];

export function useMe() {
  return useQuery({ queryKey: ["me"], queryFn: () => get<Me>("/me"), enabled: !isExported, staleTime: 60_000 });
}

export function isEnough(has: Role | undefined, wants: Role): boolean {
  return has !== undefined && ROLES.indexOf(has) >= ROLES.indexOf(wants);
}

/** Whether whoever is signed in may do what takes a role. */
export function useMay(role: Role): boolean {
  const me = useMe();
  return !isExported && isEnough(me.data?.role, role);
}
