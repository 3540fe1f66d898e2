using KcdDelegation.DirectoryServices.Connections;
using KcdDelegation.DirectoryServices.Tests.Servers;

namespace KcdDelegation.DirectoryServices.Tests.Connections;

/// <summary>Servers that accept a connection and do not answer, and what remains of an answer that ends early.</summary>
public sealed class SilentServerTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_search_that_a_server_leaves_without_an_answer_is_sent_to_the_next_one()
    {
        await using var directory = new TestDirectory(options => options.AnswerTimeout = TimeSpan.FromMilliseconds(300), servers: 2);
        directory.Server.Answer = request => [LdapAnswers.Entry(request.Id, "CN=part")];
        directory.Servers[1].Answer = request => [LdapAnswers.Entry(request.Id, "CN=second"), LdapAnswers.Done(request.Id)];

        (await directory.SearchAsync()).ShouldHaveSingleItem().Name.ShouldBe("CN=second");

        directory.Server.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task A_bind_that_a_server_leaves_without_an_answer_is_started_at_the_next_one_and_the_silent_one_is_asked_last()
    {
        await using var directory = new TestDirectory(options => options.AnswerTimeout = TimeSpan.FromMilliseconds(300), servers: 2);
        directory.Server.ChangeBind = (_, _, _) => [];
        var isOver = false;
        directory.Servers[1].Answer = request => isOver ? [[]] : [LdapAnswers.Done(request.Id)];

        await directory.SearchAsync();
        directory.Server.Connections.ShouldBe(1);
        isOver = true;
        await Should.ThrowAsync<DirectoryException>(() => directory.SearchAsync());

        // The idle connection and a new one to the second server were used before the silent one.
        directory.Servers[1].Connections.ShouldBe(2);
        directory.Server.Connections.ShouldBe(2);
    }

    [Fact]
    public async Task A_silent_server_leaves_time_for_the_next_one_if_the_search_has_less_time_than_an_answer()
    {
        await using var directory = new TestDirectory(options => options.Timeout = TimeSpan.FromSeconds(3), servers: 2);
        directory.Server.Answer = _ => [];

        await directory.SearchAsync();

        directory.Servers[1].Connections.ShouldBe(1);
    }

    [Fact]
    public async Task The_message_names_the_time_that_the_server_was_silent()
    {
        await using var directory = new TestDirectory(options => options.AnswerTimeout = TimeSpan.FromMilliseconds(200));
        directory.Server.Answer = _ => [];

        var error = await Should.ThrowAsync<DirectoryException>(() => directory.SearchAsync());

        error.Failure.ShouldBe(DirectoryFailure.Unavailable);
        error.Message.ShouldContain("silent for 0.2 seconds (AnswerTimeout)");
    }

    [Theory]
    [InlineData("closed")]
    [InlineData("refused")]
    [InlineData("too many")]
    [InlineData("rejected")]
    public async Task Secret_values_of_an_answer_that_ends_early_are_zeroed(string end)
    {
        await using var directory = new TestDirectory();
        directory.Server.Answer = request =>
        [
            LdapAnswers.Entry(request.Id, "CN=x", ("cn", LdapAnswers.Texts("a secret value"))),
            end switch
            {
                "refused" => LdapAnswers.Done(request.Id, code: 1),
                "too many" => LdapAnswers.Entry(request.Id, "CN=y"),
                "rejected" => LdapAnswers.Done(request.Id + 1),
                _ => [],
            },
        ];
        var options = directory.CreateOptions(options => options.MaxEntries = 1);
        await using var connection = await LdapConnection.OpenAsync(options.Servers[0], options, Stop);
        var search = new LdapSearch { Base = "DC=test", Attributes = ["cn"], ReadsSecrets = true };
        var entries = new List<LdapEntry>();

        await Should.ThrowAsync<DirectoryException>(() => connection.SearchAsync(
            search, ["cn"], cookie: null, new SearchBudget(options, "dc"), entries, Stop));

        // An entry without values was disposed, which zeroes its memory.
        entries.ShouldNotBeEmpty();
        entries.ShouldAllBe(entry => !entry.AttributeNames.Any());
    }
}
