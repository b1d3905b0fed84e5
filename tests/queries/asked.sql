select count(*) as n, count(home_score) as scores, max(start_at) as last from silver.games
select event, count(*) as n, avg(distance_ft) as feet from silver.plays group by event order by n desc, event
select game_id, home_score - away_score as margin from silver.games where home_score is not null order by margin, game_id
select player_id, sum(goals) / nullif(sum(shots_on_goal), 0) as share from silver.skater_games group by player_id order by 1
select season // 10000 as year, extract(month from game_date) as month, count(*) as n from silver.games group by 1, 2 order by 1, 2
select date_trunc('month', game_date) as month, count(*) as n from silver.games group by 1 order by 1
select * from silver.games where game_date between '2026-03-20' and '2026-03-22' order by game_id
select count(*) as n from silver.plays where event in ('goal', 'hit') and shot_type is null
select count(distinct game_id) as n, sum(case when is_goal then 1 else 0 end) as goals from silver.plays
select p.last_name, s.goals from silver.skater_games s join silver.players p using (player_id) where s.goals >= 2 order by 1, 2
select g.game_id, count(p.event_id) as goals from silver.games g left join silver.plays p on p.game_id = g.game_id and p.is_goal group by g.game_id order by 1
with best as (select player_id, sum(shots_on_goal) as shots from silver.skater_games group by player_id) select * from best where shots > (select avg(shots) from best) order by shots desc, player_id limit 10
select * from (select player_id, game_id, goals, row_number() over (partition by player_id order by game_id desc) as n from silver.skater_games) as numbered where n <= 2 order by player_id, n
select player_id, game_id, sum(goals) over (partition by player_id order by game_id) as so_far from silver.skater_games order by 1, 2
select player_id, game_id, lag(goals) over (partition by player_id order by game_id) as before from silver.skater_games order by 1, 2
select player_id, rank() over (order by sum(goals) desc) as place from silver.skater_games group by player_id order by 2, 1 limit 20
select player_id from silver.skater_games except select player_id from silver.goalie_games order by 1
select position, median(shots_on_goal) as middle, stddev(shots_on_goal) as spread from silver.skater_games group by position order by 1
select game_id from silver.games g where exists (select 1 from silver.plays p where p.game_id = g.game_id and p.is_goal and p.situation = '4on5') order by 1
select game_id, (select count(*) from silver.plays p where p.game_id = g.game_id and p.is_goal) as goals from silver.games g order by 1
select count(*) as n from silver.skater_games where player_id not in (select player_id from silver.players where position = 'D')
select upper(last_name) as name, length(first_name) as letters from silver.players where last_name ilike 'ha%' order by 1, 2 limit 5
select team_id, count(*) filter (where is_win) as wins, count(*) filter (where not is_win) as losses from silver.team_games group by team_id order by team_id
select home_team_abbrev as team from silver.games union select away_team_abbrev from silver.games order by team
select shot_type, count(*) as n from silver.plays where is_attempt group by shot_type having count(*) > 5 order by n desc, shot_type nulls last
select player_id, count(*) as n from (select unnest(home_skater_player_ids) as player_id from silver.stints) as seen group by player_id order by n desc, player_id limit 5
