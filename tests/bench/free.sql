-- What a search of free rooms costs at least: an anti-join on the index that guards them.
SELECT r.id FROM resources r
 WHERE r.published_at IS NOT NULL AND r.retired_at IS NULL
   AND NOT EXISTS (SELECT FROM resource_units u JOIN occupancy o ON o.unit_id = u.unit_id
                    WHERE u.resource_id = r.id AND o.during && tstzrange(:starts_at, :ends_at))
