namespace KcdDelegation;

/// <summary>Whether the backend must prove that it holds the service's key (RFC 4120 §3.2.5).</summary>
public enum MutualAuthentication
{
    /// <summary>Not asked for.</summary>
    Off,

    /// <summary>Asked for; a proof that is sent must be right, a missing one is tolerated.</summary>
    Optional,

    /// <summary>A response without a right proof is not passed on.</summary>
    Required,
}
