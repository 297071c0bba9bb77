-- Every catalogue model has one listing, which says to whom it is offered.
INSERT INTO `listings` (`id`, `account_id`, `plane`, `version`, `created_at`, `updated_at`, `scope_id`, `kind`, `name`, `summary`, `status`, `catalog_model_id`)
SELECT 'lst_' || substr(c.`id`, instr(c.`id`, '_') + 1), c.`account_id`, c.`plane`, 1, c.`created_at`, c.`updated_at`, c.`account_id`, 'MODEL', c.`name`, substr(c.`description`, 1, 300),
  CASE c.`status` WHEN 'ACTIVE' THEN 'PUBLISHED' WHEN 'RETIRED' THEN 'WITHDRAWN' ELSE 'DRAFT' END, c.`id`
FROM `catalog_models` c WHERE NOT EXISTS (SELECT 1 FROM `listings` l WHERE l.`catalog_model_id` = c.`id`);
