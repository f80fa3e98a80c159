"""What Radarr and Sonarr share."""
