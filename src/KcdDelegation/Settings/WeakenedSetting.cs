namespace KcdDelegation.Settings;

/// <summary>A setting that turns a protection off. It is named in the log at every start, so that a change made for a test is not
/// forgotten.</summary>
/// <param name="Key">The configuration key.</param>
/// <param name="Value">The value that turns the protection off.</param>
/// <param name="Effect">What is possible with it, as the end of a sentence.</param>
/// <param name="Undo">The step that restores the protection, as a sentence without its period.</param>
internal sealed record WeakenedSetting(string Key, string Value, string Effect, string Undo)
{
    private const string Remove = "Set it to false, or remove it";

    /// <summary>Returns the weakened settings of the options.</summary>
    public static IReadOnlyList<WeakenedSetting> FindAll(KcdOptions options)
    {
        var found = new List<WeakenedSetting>();
        Add(options.Token.AllowGuests, "Token:AllowGuests",
            "guests of the tenant are delegated, whose names another organization controls", Remove);
        Add(options.Token.AllowApplicationTokens, "Token:AllowApplicationTokens",
            "an application without a user is delegated, as the user that its claims name", Remove);
        if (Uri.TryCreate(options.Token.Authority, UriKind.Absolute, out var authority) && authority.Scheme == Uri.UriSchemeHttp)
            found.Add(new WeakenedSetting($"{options.Section}:Token:Authority", options.Token.Authority,
                "every process on this machine that can listen at the address can replace the signing keys",
                "Write the issuer's https address"));
        foreach (var (name, application) in options.Applications)
            AddApplication($"Applications:{name}", application);
        return found;

        void AddApplication(string key, DelegatedApplication application)
        {
            Add(application.AllowPlainHttp, $"{key}:AllowPlainHttp",
                "tickets may be sent over plain http, where an eavesdropper can use them", $"{Remove}, and use https");
            Add(application.ShareConnectionsBetweenUsers, $"{key}:ShareConnectionsBetweenUsers",
                "a backend that binds an identity to a connection answers one user with the data of another", Remove);
            Add(application.AllowUnsafeClaimType, $"{key}:AllowUnsafeClaimType",
                "a user who can set the claim of ClaimType acts as any other user", $"{Remove}, and read a claim that the directory sets");
            Add(application.AllowBuiltInAccounts, $"{key}:AllowBuiltInAccounts",
                "a caller whose name is that of an administrator or of a computer is delegated as that account", Remove);
            Add(application.AllowServiceClass, $"{key}:AllowServiceClass",
                "the service principal name may be that of another service than a web server", Remove);
            Add(application.AllowEncodedSlashes, $"{key}:AllowEncodedSlashes",
                "a backend may find another resource than the host, if it decodes slashes before it decides which one is meant", Remove);
            if (!application.ChannelBinding)
                found.Add(new WeakenedSetting($"{options.Section}:{key}:ChannelBinding", "false",
                    "a ticket is not bound to the TLS connection, so that an intermediary that ends TLS can relay it",
                    "Set it to true, or remove it"));
        }

        void Add(bool isSet, string key, string effect, string undo)
        {
            if (isSet)
                found.Add(new WeakenedSetting($"{options.Section}:{key}", "true", effect, undo));
        }
    }
}
