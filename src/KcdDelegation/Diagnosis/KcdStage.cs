namespace KcdDelegation;

/// <summary>Where a delegated request failed: the three stages in which administrators look for the cause.</summary>
public enum KcdStage
{
    /// <summary>The caller: the token, the claims, the account of the user.</summary>
    Identity,

    /// <summary>The delegation: the delegating account, the KDC, the right to delegate, the service principal name.</summary>
    Delegation,

    /// <summary>The backend: it refused the ticket, or could not prove itself.</summary>
    Target,
}
