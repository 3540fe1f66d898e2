namespace KcdDelegation;

/// <summary>Whether the ticket goes with the first request.</summary>
public enum AuthenticationStart
{
    /// <summary>Every request carries a ticket.</summary>
    Preemptive,

    /// <summary>A request goes anonymously first, and again with a ticket after the backend asked for one. Not together with
    /// <see cref="MutualAuthentication.Required"/> or with connections that users share.</summary>
    OnChallenge,
}
