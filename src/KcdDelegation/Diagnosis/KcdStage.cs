namespace KcdDelegation;

/// <summary>The stage at which a delegated request failed.</summary>
public enum KcdStage
{
    /// <summary>The caller: the token, the claims, the user's account.</summary>
    Identity,

    /// <summary>The delegation: the delegating account, the KDC, the right to delegate, the service principal name.</summary>
    Delegation,

    /// <summary>The backend: it refused the ticket, or could not authenticate itself.</summary>
    Target,
}
