import { BellRing, Bot, CircleAlert, CircleOff, FileText, HandCoins, type LucideIcon, ReceiptText, Snowflake, ThumbsUp, TrendingUp, Webhook } from 'lucide-react'
import type { NotificationTopic } from '@/graphql/generated/graphql'
import { t } from '@/lib/i18n'

/** staff: what it is for the people of the platform, who hear of no other topics. */
type Topic = { icon: LucideIcon; tone: string; name: string; about: string; staff?: { name: string; about: string } }

/** What people and webhooks can hear of, in the order in which it is shown. */
export const topics: { [T in NotificationTopic]: Topic } = {
  BUDGET_THRESHOLD: { icon: BellRing, tone: 'text-warn', name: t('Budget thresholds'), about: t('A budget has passed 80% or 95% of its limit, or what was set for it.'), staff: { name: t('Credit thresholds'), about: t('An account has used up 80% or 95% of its credits, or what was set for it.') } },
  BUDGET_EXHAUSTED: { icon: CircleAlert, tone: 'text-bad', name: t('Budgets used up'), about: t('A budget has passed its limit, or refuses calls.'), staff: { name: t('Credits used up'), about: t('An account has used up its credits: its calls in Copilot are refused.') } },
  BUDGET_FORECAST: { icon: TrendingUp, tone: 'text-warn', name: t('Forecasts'), about: t('At its pace a budget will run out before its cycle ends.'), staff: { name: t('Forecasts'), about: t('At its pace an account will run out of credits before its cycle ends.') } },
  BUDGET_FROZEN: { icon: Snowflake, tone: 'text-info', name: t('Frozen budgets'), about: t('Somebody stopped all spending of a budget.') },
  STATEMENT_READY: { icon: FileText, tone: 'text-muted', name: t('Statements'), about: t('A cycle has closed and its statement is written.') },
  INCREASE_REQUESTED: { icon: HandCoins, tone: 'text-accent-text', name: t('Requests'), about: t('Somebody asks you for budget, access or a review.'), staff: { name: t('Requests'), about: t('An account asks for more credits.') } },
  INCREASE_DECIDED: { icon: ThumbsUp, tone: 'text-accent-text', name: t('Decisions on your requests'), about: t('Your request for more budget was decided.') },
  CHARGE_LATE: { icon: ReceiptText, tone: 'text-warn', name: t('Late charges'), about: t('A call cost more than its budgets had room for.') },
  MODEL_WITHDRAWN: { icon: CircleOff, tone: 'text-bad', name: t('Withdrawn models'), about: t('The platform offers a model no more that you have switched on.') },
  WEBHOOK_DISABLED: { icon: Webhook, tone: 'text-bad', name: t('Disabled webhooks'), about: t('A webhook was switched off because nothing arrives.') },
  AGENT_UNOWNED: { icon: Bot, tone: 'text-warn', name: t('Agents without an owner'), about: t('Whoever answered for an agent has left.') },
}

/** A topic in the words of whoever reads; undefined for what the people of the platform don't hear of. */
export const topicFor = (topic: NotificationTopic, isStaff: boolean) => (isStaff ? topics[topic].staff : topics[topic])

export const topicNames = Object.entries(topics).map(([value, { name, about }]) => ({ value: value as NotificationTopic, name, about }))
