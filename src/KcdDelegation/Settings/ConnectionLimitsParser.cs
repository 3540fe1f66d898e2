using KcdDelegation.Diagnosis;

namespace KcdDelegation.Settings;

/// <summary>The parser of the bounds of connections, of all applications and of one.</summary>
internal static class ConnectionLimitsParser
{
    private static readonly TimeSpan s_longestWait = TimeSpan.FromHours(1);

    /// <summary>Reports wrong values that apply to all applications.</summary>
    public static void Check(KcdOptions options, SettingsErrors errors)
    {
        CheckCount(options.MaxUsers, "MaxUsers", errors);
        CheckCount(options.MaxConnectionsPerUser, "MaxConnectionsPerUser", errors);
        CheckWait(options.MaxConnectionWait, "MaxConnectionWait", errors);
    }

    /// <summary>Parses the values of an application. Values that it does not have are those of all applications.</summary>
    public static ConnectionLimits Parse(
        KcdOptions options, DelegatedApplication application, IEnumerable<Uri> additionalOrigins, string key, SettingsErrors errors)
    {
        if (application.MaxUsers is { } users)
            CheckCount(users, $"{key}:MaxUsers", errors);
        if (application.MaxConnectionsPerUser is { } connections)
            CheckCount(connections, $"{key}:MaxConnectionsPerUser", errors);
        if (application.MaxConnectionWait is { } wait)
            CheckWait(wait, $"{key}:MaxConnectionWait", errors);
        CheckChannelBinding(application, additionalOrigins, key, errors);
        return new ConnectionLimits(
            application.MaxUsers ?? options.MaxUsers,
            application.MaxConnectionsPerUser ?? options.MaxConnectionsPerUser,
            application.MaxConnectionWait ?? options.MaxConnectionWait);
    }

    private static void CheckCount(int value, string key, SettingsErrors errors)
    {
        if (value <= 0)
            errors.Add(key, $"{value} is not a positive number", "Write a number such as 10000");
    }

    private static void CheckWait(TimeSpan value, string key, SettingsErrors errors)
    {
        if (value <= TimeSpan.Zero || value > s_longestWait)
            errors.Add(key, $"{value:c} is not a time of at most {s_longestWait:c}", "Write a time such as 00:00:10");
    }

    /// <summary>Rejects a required channel binding that no connection can have.</summary>
    private static void CheckChannelBinding(
        DelegatedApplication application, IEnumerable<Uri> additionalOrigins, string key, SettingsErrors errors)
    {
        if (!application.RequireChannelBinding)
            return;
        if (!application.ChannelBinding)
            errors.Add($"{key}:RequireChannelBinding", $"is true, but {errors.Key($"{key}:ChannelBinding")} is false",
                "Set both to true, or both to false");
        var addresses = application.InternalUrl is { IsAbsoluteUri: true } url ? additionalOrigins.Prepend(url) : additionalOrigins;
        if (addresses.FirstOrDefault(address => address.Scheme == Uri.UriSchemeHttp) is { } plain)
            errors.Add($"{key}:RequireChannelBinding",
                $"is true, but {PrintableText.Quoted(plain.GetLeftPart(UriPartial.Authority))} is plain http, which has no channel binding",
                "Use https, or set RequireChannelBinding to false");
    }
}
