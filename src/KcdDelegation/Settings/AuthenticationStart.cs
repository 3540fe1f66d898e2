namespace KcdDelegation;

/// <summary>Whether the ticket goes with the first request.</summary>
public enum AuthenticationStart
{
    /// <summary>Every request carries a ticket.</summary>
    Preemptive,

    /// <summary>A request is sent without a ticket first, and again with a ticket if the backend requests one. It cannot be combined with
    /// <see cref="MutualAuthentication.Required"/> or with connections that users share.</summary>
    OnChallenge,
}
