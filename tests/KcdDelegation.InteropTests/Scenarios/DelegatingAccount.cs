namespace KcdDelegation.InteropTests.Scenarios;

/// <summary>The delegating account of a scenario. Every realm has one of each, under the names of its own software.</summary>
internal enum DelegatingAccount
{
    /// <summary>With a delegation list and "any authentication protocol", by its keytab.</summary>
    Connector,

    /// <summary>The same kind of account, by its password: the KDC says the salt.</summary>
    ByPassword,

    /// <summary>A computer account, whose salt is made from its host name.</summary>
    Computer,

    /// <summary>An account that was renamed after its password was set, so that its salt is the old name's.</summary>
    Renamed,

    /// <summary>With a delegation list, without "any authentication protocol".</summary>
    WithoutProtocolTransition,

    /// <summary>Without a list of its own; a target's list has it.</summary>
    ResourceBasedOnly,

    /// <summary>Has RC4 keys only.</summary>
    WithoutAesKeys,

    /// <summary>With a password that is not its own.</summary>
    WrongPassword,
}
