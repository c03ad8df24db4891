/** What a knock by letmein's exchange has to tell, alone or as the second choice of `auto`. Pure. */
import { type AutoErrand, type AutoOutcome, PATIENCE_MS } from '../client/auto.js'
import { isLetIn, type LetmeinErrand } from '../client/letmein.js'
import type { Answer } from '../client/letmein-round.js'
import type { Opened } from '../client/watch.js'
import type { Operation } from '../gate/verdict.js'
import { formatId, type ResourceId, type UserId } from '../wire/ids.js'
import type { PlannedSubject } from './knock-plan.js'
import { nameOf, openAt, openSentence } from './knock-report.js'
import { answersForJson, letInSentence, notLetInSentence, warningsOf } from './letmein-words.js'
import type { Told } from './told.js'

export interface LetmeinReport {
  readonly protocol: 'letmein' | 'auto'
  readonly operation: Operation
  readonly user: UserId
  readonly subjects: readonly PlannedSubject[]
  readonly errand: LetmeinErrand
  readonly answers: ReadonlyMap<ResourceId, readonly Answer[]>
  /** TCP ports that were seen open. */
  readonly opened: ReadonlyMap<number, Opened>
  readonly waitMs?: number
  readonly warnings: readonly string[]
  readonly alarms?: readonly string[]
}

/** All of it. */
export function tellLetmein(report: LetmeinReport): Told {
  const { subjects, errand, answers, warnings, alarms = [] } = report
  const failed = subjects.filter((subject) => !isDone(subject, report))
  const good = subjects.filter((subject) => isDone(subject, report))
  const said = [...answers.values()].flatMap((some) => warningsOf(some))
  return {
    isDone: failed.length === 0,
    success: good.map((subject) => successOf(subject, report)),
    failure: failed.map((subject) => failureOf(subject, report)).join('; '),
    warnings: [...warnings, ...new Set(said)],
    alarms,
    json: {
      operation: report.operation,
      protocol: report.protocol,
      host: errand.host,
      user: formatId(report.user),
      knocks: subjects.map((subject) => jsonOf(subject, report)),
      warnings: [...warnings, ...new Set(said), ...alarms],
    },
  }
}

/** What is said of a knock whose second choice was needed. `nowMs`: this machine's clock. */
export function alarmsOf({ openedByExchange }: AutoOutcome, { waitMs }: AutoErrand, nowMs: number): string[] {
  if (openedByExchange.size === 0) return []
  const patienceMs = waitMs === undefined ? PATIENCE_MS : Math.min(PATIENCE_MS, waitMs / 2)
  return [
    `postern's own knock opened nothing within ${patienceMs / 1000} s, letmein's exchange did: compare this machine's clock ` +
      `(${new Date(nowMs).toISOString()}) with the server's; if they agree, compare [SPA] realm, or the network lost the knock`,
  ]
}

function isDone(subject: PlannedSubject, { errand, answers, opened, waitMs }: LetmeinReport): boolean {
  const isOpen = openedPort(subject, opened) !== undefined
  const mustBeOpen = waitMs !== undefined && subject.port !== undefined
  return isOpen || (!mustBeOpen && isLetIn(answers.get(subject.resource), errand))
}

function openedPort({ port, probePort }: PlannedSubject, opened: LetmeinReport['opened']): Opened | undefined {
  return opened.get(port ?? probePort ?? 0)
}

function successOf(subject: PlannedSubject, { errand, answers, opened }: LetmeinReport): string {
  const seen = openedPort(subject, opened)
  if (seen !== undefined) return openSentence(errand.host, seen)
  return letInSentence(nameOf(subject), answers.get(subject.resource)!, errand)
}

function failureOf(subject: PlannedSubject, { errand, answers, protocol, waitMs = 0 }: LetmeinReport): string {
  const what = nameOf(subject)
  const said = answers.get(subject.resource) ?? []
  if (isLetIn(said, errand))
    return `${letInSentence(what, said, errand)}, but it is still shut after ${waitMs / 1000} s: is its service running?`
  const sentence = notLetInSentence(what, said, errand)
  return protocol === 'auto' ? `${sentence}; nor is there a sign that postern's own knock was heard` : sentence
}

function jsonOf(subject: PlannedSubject, { errand, answers, opened, protocol, waitMs }: LetmeinReport): object {
  const { resource, port, probePort } = subject
  const said = answers.get(resource) ?? []
  return {
    resource: formatId(resource),
    ...(port !== undefined && { port }),
    ...((waitMs !== undefined || protocol === 'auto') && { open: openAt(opened, port ?? probePort) }),
    letIn: isLetIn(said, errand),
    answers: answersForJson(said),
  }
}
