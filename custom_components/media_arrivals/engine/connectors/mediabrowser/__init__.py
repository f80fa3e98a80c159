"""What Jellyfin and Emby share: they were one program once."""
