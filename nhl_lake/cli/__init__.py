"""What a person types and sees: commands, screens, errors in two lines, the cron line."""
